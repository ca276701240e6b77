"""Every filter, alone and in pairs, keeps to a tenant's rows beside a tenant ten times its size.

The plans are those of the service's own role, through its views. A row that is read and thrown away
counts as read: a plan that walked through a stranger's rows would read more than the tenant has.
The GIN indexes hold no tenant: what strangers hold of a rare value is found with the own, and
thrown away before anything else sees it.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import combinations
from math import inf
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from memferry.database import sql as sql_module
from memferry.database.pool import SERVICE_ROLE
from memferry.database.sql import sql
from memferry.filters import FILTERS, Filter, Selection
from memferry.filters.orders import ORDERS
from memferry.filters.tags import Tags
from memferry.formats import FORMATS, TextFormat
from memferry.formats.base import Columns
from memferry.memories.rows import RENDERED_BYTES
from memferry.memories.search import BY_INDEX
from support.postgres import create_database

LARGE, LARGER = "00000000-0000-7000-8000-00000000a11c", "00000000-0000-7000-8000-000000000b0b"
ROWS = 6_000

# Each value is held by every hundredth memory of both tenants, or by every second one.
RARE, OFTEN = 100, 2
_PLANT = """
    INSERT INTO memferry.memories
        (tenant_id, id, content, namespace, tags, source, metadata, created_at, updated_at)
    SELECT $1::uuid, md5($1::text || i)::uuid, 'memory ' || i,
        CASE WHEN i % 100 = 0 THEN 'rare' WHEN i % 2 = 1 THEN 'often' ELSE 'other' END,
        CASE WHEN i % 100 = 0 THEN '{rare}'::text[] WHEN i % 2 = 1 THEN '{often,x}' ELSE '{}' END,
        'agent', jsonb_build_object('kind', CASE WHEN i % 100 = 0 THEN 'rare' WHEN i % 2 = 1 THEN
        'often' END, 'number', i), i, i
    FROM generate_series(1, $2::integer) AS i
"""
_LAST = {RARE: ROWS - ROWS // RARE, OFTEN: ROWS // OFTEN}
_FIRST = {RARE: ROWS // RARE, OFTEN: ROWS // OFTEN}


def values(held_by: int) -> dict[str, object]:
    """For each field a value that this share of the memories holds."""
    word = "rare" if held_by == RARE else "often"
    return {
        "namespace": word,
        "tags": [word],
        "metadata_filter": json.dumps({"kind": word}),
        "created_after": _LAST[held_by],
        "created_before": _FIRST[held_by],
        "updated_after": _LAST[held_by],
        "updated_before": _FIRST[held_by],
        "ids": [make_id(number) for number in range(held_by, ROWS + 1, held_by)],
    }


def make_id(number: int) -> UUID:
    """The id of one memory of the large tenant."""
    return UUID(hashlib.md5(f"{LARGE}{number}".encode(), usedforsecurity=False).hexdigest())


FILTERS = tuple(dict.fromkeys(FILTERS))
# What the index of words has for two numbers of the large tenant.
KEYS = "'AKEc1234' | 'AKEc5678'"
_ALL, _END = (-(2**63), UUID(int=0)), (2**63 - 1, UUID(int=2**128 - 1))
CHOICES = [*((each,) for each in FILTERS), *combinations(FILTERS, 2)]


@dataclass(frozen=True)
class Plan:
    """What EXPLAIN ANALYZE says, all nodes in one list."""

    nodes: list[dict[str, Any]]

    @property
    def scans(self) -> list[dict[str, Any]]:
        """The nodes that read the table or an index."""
        return [each for each in self.nodes if "Scan" in each["Node Type"]]

    @property
    def rows_read(self) -> float:
        """Rows of the table that were looked at, kept or not."""
        read: float = sum(
            node["Actual Loops"]
            * (
                node["Actual Rows"]
                + node.get("Rows Removed by Filter", 0)
                + node.get("Rows Removed by Index Recheck", 0)
            )
            for node in self.scans
            if node.get("Relation Name") == "memories"
        )
        return read


@pytest.fixture(scope="module")
def neighbours(database_url: str) -> Iterator[str]:
    """A database with a large tenant and a larger one."""
    with create_database(database_url) as url:
        asyncio.run(_plant(url))
        yield url


async def _plant(url: str) -> None:
    connection = await asyncpg.connect(url)
    for tenant, rows in ((LARGE, ROWS), (LARGER, 10 * ROWS)):
        await connection.execute(
            "INSERT INTO memferry.tenants VALUES ($1::uuid, $1::uuid::text)", tenant
        )
        await connection.execute(_PLANT, tenant, rows)
    await connection.execute("VACUUM ANALYZE memferry.memories")
    await connection.close()


@pytest.fixture
async def session(neighbours: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """The service's session in a transaction of the large tenant."""
    settings = {"role": SERVICE_ROLE, "search_path": SERVICE_ROLE, "jit": "off"}
    connection = await asyncpg.connect(neighbours, server_settings=settings)
    await connection.execute(f"BEGIN; SET LOCAL memferry.tenant = '{LARGE}'")
    yield connection
    await connection.close()


async def plan(
    session: "asyncpg.Connection[asyncpg.Record]", statement: str, arguments: list[object]
) -> Plan:
    """The plan of a statement, which is run for it."""
    explained = await session.fetchval(
        f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", *arguments
    )
    return Plan(list(_nodes(json.loads(explained)[0]["Plan"])))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)


def assert_kept_to_the_tenant(found: Plan, what: str, most: int = ROWS) -> None:
    """No walk through the table, no walk along an index outside the tenant's part of it."""
    kinds = {(each["Node Type"], each.get("Index Name")) for each in found.scans}
    beyond = [
        node["Index Name"] for node in found.scans if "Index Name" in node and not _bound(node)
    ]

    assert "Seq Scan" not in {each["Node Type"] for each in found.scans}, what
    assert not beyond, f"{what}: {beyond} without a condition"
    assert found.rows_read <= most, f"{what}: {found.rows_read} rows of {kinds}"


def _bound(node: dict[str, Any]) -> bool:
    """Whether an index is entered at a tenant, or at a value."""
    condition = node.get("Index Cond", "")
    return "tenant_id" in condition or "@>" in condition or "@@" in condition


_Cases = dict[str, tuple[str, tuple[object, ...]]]
_BOUNDS = (*_ALL, *_END)


def statements() -> _Cases:
    """What runs with filters, with the arguments that come before theirs."""
    return _export_statements() | _memory_statements()


def _export_statements() -> _Cases:
    lines, columns = FORMATS["ndjson"].rows, FORMATS["parquet"].rows
    cases: dict[str, tuple[TextFormat | Columns | None, tuple[object, ...]]] = {
        "export_rows": (lines, ()),
        "export_by_key": (lines, ()),
        "export_by_thread": (FORMATS["markdown"].rows, ()),
        "export_range": (lines, _BOUNDS),
        "export_frames": (lines, (*_BOUNDS, ROWS, 2**20, "\n")),
        "export_columns": (columns, (*_BOUNDS, ROWS, 2**20)),
        "export_columns_by_key": (columns, (ROWS, 2**20)),
        "find_range_end": (None, (*_BOUNDS, 1_000)),
        "export_sample": (lines, (1, ROWS)),
        "count_memories": (None, ()),
        "count_expired": (None, ()),
        "probe_export": (None, (10_001,)),
        "probe_rows": (lines, (10_001, 256, 2**17, 2**14, "\n")),
    }
    filled = {}
    for name, (rows, arguments) in cases.items():
        statement: str = sql_module.read_statements()[f"exports/{name}"]
        filled[f"exports/{name}"] = (rows.render(statement) if rows else statement, arguments)
    return filled


def _memory_statements() -> _Cases:
    searched = sql("memories/search_memories").replace("{match}", BY_INDEX)
    keyed = (50, 0, KEYS, RENDERED_BYTES)
    lists = {
        f"memories/list_memories by {name}": (
            order.fill(sql("memories/list_memories")),
            (50, 0, RENDERED_BYTES, *order.start),
        )
        for name, order in ORDERS.items()
    }
    return lists | {
        "memories/count_memories": (sql("memories/count_memories"), ()),
        "memories/list_threads": (sql("memories/list_threads"), (50, 0, -(2**63), "", "")),
        "memories/list_recent_threads": (
            sql("memories/list_recent_threads"),
            (50, 0, -(2**63), "", "", 1_000),
        ),
        "memories/list_duplicates": (sql("memories/list_duplicates"), (50, 100, -1, "", "")),
        "memories/search_memories": (
            searched,
            (*keyed, inf, *_END, *_ALL, ["1234"], ["1234"], [1.0], 1),
        ),
        "memories/list_other_hits": (sql("memories/list_other_hits"), (*keyed, *_END, 1)),
        "memories/list_newest_hits": (sql("memories/list_newest_hits"), (*keyed, *_END, 1, *_ALL)),
        "memories/read_other_hits": (sql("memories/read_other_hits"), (*keyed, *_END, 1, 500)),
        "memories/count_selected": (sql("memories/count_selected"), (1_001,)),
        "memories/count_found": (sql("memories/count_found"), (1_001, KEYS)),
        "memories/find_newest": (sql("memories/find_newest"), (1_000,)),
    }


def test_the_list_of_statements_with_filters_is_complete() -> None:
    every = sql_module.read_statements()
    named = {name for name, text in every.items() if "{filters}" in text}

    assert named == {name.partition(" ")[0] for name in statements()}


@pytest.mark.parametrize("held_by", [RARE, OFTEN])
@pytest.mark.parametrize("name", statements())
async def test_every_filter_and_every_pair_stays_within_the_tenant(
    session: "asyncpg.Connection[asyncpg.Record]", name: str, held_by: int
) -> None:
    statement, leading = statements()[name]
    for chosen in [(), *CHOICES]:
        selection = Selection.for_scan(
            {filter_: values(held_by).get(filter_.field) for filter_ in chosen}
        )
        text, arguments = selection.fill(statement, *leading)
        what = f"{name} by {' and '.join(each.field for each in chosen) or 'nothing'}"

        # Where the parts end is looked up in the index; few rows are measured and read once they
        # are counted; a row is looked up after its key was found, the oldest of a thread after
        # all were read, and all of a thread after its latest.
        most = {
            "exports/export_frames": 2,
            "exports/export_columns": 2,
            "exports/export_columns_by_key": 2,
            "exports/export_by_key": 2,
            "exports/export_by_thread": 2,
            "exports/export_sample": 2,
            "exports/probe_rows": 3,
            "memories/list_threads": 2,
            "memories/list_recent_threads": 3,
            "memories/list_duplicates": 2,
        }.get(name, 1) * ROWS
        assert_kept_to_the_tenant(await plan(session, text, arguments), what, most)


@pytest.mark.parametrize(
    ("chosen", "index", "most"),
    [
        ("namespace", "memories_by_namespace", ROWS / RARE),
        ("tags", "memories_by_tags", 11 * ROWS / RARE),
        ("metadata_filter", "memories_by_metadata", 11 * ROWS / RARE),
        ("created_after", "memories_by_time", ROWS / RARE + 1),
        ("created_before", "memories_by_time", ROWS / RARE),
    ],
)
async def test_a_filter_that_few_memories_pass_has_its_own_index(
    session: "asyncpg.Connection[asyncpg.Record]", chosen: str, index: str, most: float
) -> None:
    kind: type[Filter] = next(each for each in FILTERS if each.field == chosen)
    selection = Selection.for_scan({kind: values(RARE)[chosen]})
    for name in ("exports/export_rows", "exports/count_memories"):
        statement, leading = statements()[name]
        found = await plan(session, *selection.fill(statement, *leading))

        # A namespace has two indexes, and to count either will do.
        assert any(each.get("Index Name", "").startswith(index) for each in found.scans), name
        assert found.rows_read <= most, name


async def test_the_export_of_everything_needs_no_sort(
    session: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    statement, leading = statements()["exports/export_rows"]
    found = await plan(session, *Selection.for_scan({}).fill(statement, *leading))

    # What the view asks of the session once, whether the caller has a limit, reads nothing.
    assert [each["Node Type"] for each in found.nodes if each["Node Type"] != "Result"] == [
        "Index Scan"
    ]
    assert found.nodes[0]["Index Name"] == "memories_by_time"
    assert found.rows_read == ROWS


async def test_an_export_by_key_sorts_nothing_but_keys(
    session: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    statement, leading = statements()["exports/export_by_key"]
    selection = Selection.for_scan({Tags: values(RARE)["tags"]})
    found = await plan(session, *selection.fill(statement, *leading))
    sorts = [node for node in found.nodes if node["Node Type"] == "Sort"]

    # A time of 8 bytes and an id of 16.
    assert [node["Plan Width"] for node in sorts] == [24]
    assert "memories_pkey" in {node.get("Index Name") for node in found.scans}


async def test_a_text_becomes_json_without_a_call_of_ours(
    session: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    statement, leading = statements()["exports/export_rows"]
    text, arguments = Selection.for_scan({}).fill(statement, *leading)
    lines = await session.fetch(f"EXPLAIN (VERBOSE) {text}", *arguments)

    assert "content" in str(lines)
    assert "as_json" not in str(lines)


async def test_a_plan_that_leaves_the_tenant_is_noticed(neighbours: str) -> None:
    owner = await asyncpg.connect(neighbours)
    found = await plan(owner, "SELECT FROM memferry.memories WHERE namespace = 'often'", [])
    await owner.close()

    with pytest.raises(AssertionError, match="everything"):
        assert_kept_to_the_tenant(found, "everything")
