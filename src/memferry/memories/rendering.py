"""Rendering rows that are too large for the statement which found them."""

from collections.abc import Sequence

import asyncpg

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.memories.rows import Render
from memferry.model.token import Caller


def make_renderer(database: Database, caller: Caller) -> Render:
    """Make the function that renders records of a caller, with their scores if they have any."""

    async def render(records: Sequence[asyncpg.Record]) -> list[str | None]:
        arguments: list[object] = [[record["id"] for record in records]]
        statement = sql("memories/render_memories")
        if "score" in records[0].keys():  # noqa: SIM118 - a record is no mapping
            statement = sql("memories/render_hits")
            arguments.append([record["score"] for record in records])
        async with database.tenant(caller) as connection:
            rows = await connection.fetch(statement, *arguments)
        texts = {row["place"]: row["row"] for row in rows}
        return [texts.get(place) for place in range(1, len(records) + 1)]

    return render
