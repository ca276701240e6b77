"""What the planner would do with a statement."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from memferry.database.literals import bind_literals
from memferry.database.pool import Connection


async def needs_sort(connection: Connection, statement: str, arguments: Sequence[object]) -> bool:
    """Whether PostgreSQL would sort the rows of a statement, and so hold all of them.

    https://www.postgresql.org/docs/current/sql-explain.html
    """
    text: str = await connection.fetchval(
        f"EXPLAIN (FORMAT JSON, COSTS OFF) {bind_literals(statement, arguments)}"
    )
    return any(node["Node Type"] == "Sort" for node in _walk_nodes(json.loads(text)[0]["Plan"]))


def _walk_nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _walk_nodes(child)
