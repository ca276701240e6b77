"""The rows of one page, however large: rendered in parts, so that few of them lie in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import asyncpg

RENDERED_BYTES = 1024 * 1024
"""How many bytes of text a part has, before JSON's escapes; or it is a single row."""

Render = Callable[[Sequence[asyncpg.Record]], Awaitable[dict[int, str]]]
"""Renders rows that a statement has only named; answers each that is still there, by its index."""


class Rows:
    """What a statement found: which rows in which order, and the first of them as JSON text."""

    def __init__(self, records: Sequence[asyncpg.Record], render: Render) -> None:
        self.records = records
        self._render = render

    def first(self, number: int) -> "Rows":
        """Only so many of them."""
        return Rows(self.records[:number], self._render)

    async def parts(self) -> AsyncIterator[list[str | None]]:
        """The texts of all rows in order, part by part; None for one that was deleted meanwhile."""
        done = 0
        while done < len(self.records) and self.records[done]["row"] is not None:
            done += 1
        yield [record["row"] for record in self.records[:done]]
        while done < len(self.records):
            part = self.records[done : done + _count_fitting(self.records, done)]
            texts = await self._render(part)
            yield [texts.get(index) for index in range(len(part))]
            done += len(part)

    @property
    def rendered(self) -> bool:
        """Whether nothing is left to be rendered."""
        return not self.records or self.records[-1]["row"] is not None


def _count_fitting(records: Sequence[asyncpg.Record], start: int) -> int:
    """How many rows from there on make a part: one at least."""
    number, size = 1, records[start]["bytes"]
    for record in records[start + 1 :]:
        size += record["bytes"]
        if size > RENDERED_BYTES:
            break
        number += 1
    return number
