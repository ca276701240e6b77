"""What isolation costs a filtered export: the service's role and views against the bare table."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from measure import Goal, Line, Work, compare
from memferry.database.pool import Connection, Database, Planner
from memferry.database.sql import sql
from memferry.exports.request import ExportRequest
from memferry.settings import DatabaseSettings
from references import bare
from seed import NAMESPACES, START_MS, TAGS
from service import Bench


def filters(rows: int) -> dict[str, dict[str, Any]]:
    """The filters of the cases, by name; each chooses a part of a tenant's rows."""
    return {
        "namespace": {"namespace": NAMESPACES[3]},
        "tags": {"tags": list(TAGS[:1])},
        "metadata": {"metadata_filter": {"kind": "fact", "model": {"name": "small"}}},
        "created": {
            "created_after": START_MS + rows // 2,
            "created_before": START_MS + rows // 2 + rows // 10,
        },
    }


def make_filter_case(name: str) -> Callable[[Bench], Iterator[Line]]:
    """The case of one filter: the statement an export runs, as both roles; no bytes kept."""

    def case(bench: Bench) -> Iterator[Line]:
        goal = Goal(case=f"filter by {name}", against="the owner on the bare table", most=1.1)
        body = json.dumps({"format": "ndjson", **filters(bench.options.rows)[name]})
        request = ExportRequest.parse(body.encode())
        database, owner = Database(bench.service_url, DatabaseSettings(pool_size=1)), bench.owner()
        bench.run(database.open())
        # Where the functions are that the statement calls.
        bench.run(owner.execute("SET search_path = memferry_service"))
        ours = Work(lambda: bench.run(_copy_as_service(database, bench, request)))
        theirs = Work(lambda: bench.run(_copy_as_owner(owner, bench, request)))
        yield compare(goal, ours, theirs, bench.options.rounds)
        bench.run(database.close())
        bench.run(owner.close())

    return case


async def _copy_as_service(database: Database, bench: Bench, request: ExportRequest) -> None:
    tenant_id = bench.tenant_id("big")
    planner = Planner.INDEX_ORDER if request.selection.index_order else Planner.USUAL
    async with database.tenant(
        tenant_id, snapshot=True, long_running=True, planner=planner
    ) as connection:
        await _copy(connection, sql("exports/export_rows"), request)


async def _copy_as_owner(connection: Connection, bench: Bench, request: ExportRequest) -> None:
    await _copy(connection, bare(sql("exports/export_rows"), bench.tenant_id("big")), request)


async def _copy(connection: Connection, statement: str, request: ExportRequest) -> None:
    whole, arguments = request.selection.fill(statement)
    query = request.format.rows.render(whole)
    status = await connection.copy_from_query(query, *arguments, output=_discard, format="binary")
    assert int(status.removeprefix("COPY ")) > 0


async def _discard(_data: bytes) -> None:
    """Nobody looks at them."""
