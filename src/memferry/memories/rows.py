"""The rows of one page, rendered in parts so that few of them lie in memory at once."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress

import asyncpg

from memferry.errors import Busy, TooMuchAtOnce

RENDERED_BYTES = 1024 * 1024
"""The most bytes of text in a part, before JSON escapes; a larger row is a part by itself."""

# Rows up to this size are rendered by the first statement: 500 of them are a megabyte.
_SMALL_BYTES = 2048
# Each try waits for up to 10 s.
_TRIES = 12

Render = Callable[[Sequence[asyncpg.Record]], Awaitable[list[str | None]]]
"""Renders records that have an id and no row; None for a memory that was deleted meanwhile."""


def bound_row_bytes(rows: int) -> int:
    """The size up to which a statement with `rows` rows at most renders a row itself."""
    return max(RENDERED_BYTES // rows, _SMALL_BYTES)


class Rows:
    """The rows of a statement in their order; the small ones are rendered as JSON text already."""

    def __init__(self, records: Sequence[asyncpg.Record], render: Render) -> None:
        self.records = records
        self._render = render

    def take_first(self, number: int) -> "Rows":
        """The first `number` rows."""
        return Rows(self.records[:number], self._render)

    async def render_parts(self) -> AsyncIterator[list[str | None]]:
        """Yield the texts of all rows in order, part by part; None for a row deleted meanwhile.

        Works once: parts that were yielded are not kept.
        """
        records, self.records = self.records, ()
        while records:
            number = _count_fitting(records)
            part, records = records[:number], records[number:]
            missing = [record for record in part if record["row"] is None]
            rendered = iter(await self._render_with_retries(missing) if missing else ())
            texts = [record["row"] or next(rendered) for record in part]
            del part, missing, rendered
            yield texts

    async def _render_with_retries(self, part: Sequence[asyncpg.Record]) -> list[str | None]:
        """Render a part; tries for two minutes, since an answer that has begun has no error."""
        for _ in range(_TRIES):
            with suppress(TooMuchAtOnce, Busy):
                return await self._render(part)
        return await self._render(part)

    @property
    def part_bytes(self) -> int:
        """The bytes of text in the largest part."""
        largest: int = max((record["bytes"] for record in self.records), default=0)
        return max(RENDERED_BYTES, largest)

    @property
    def rendered(self) -> bool:
        """Whether every row is rendered."""
        return all(record["row"] is not None for record in self.records)


def _count_fitting(records: Sequence[asyncpg.Record]) -> int:
    """The number of rows in the next part, one at least."""
    number, size = 1, records[0]["bytes"]
    for record in records[1:]:
        size += record["bytes"]
        if size > RENDERED_BYTES:
            break
        number += 1
    return number
