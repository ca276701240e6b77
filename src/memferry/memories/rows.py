"""The rows of one page, however large: rendered in parts, so that few of them lie in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress

import asyncpg

from memferry.errors import Busy, TooMuchAtOnce

RENDERED_BYTES = 1024 * 1024
"""How many bytes of text a part has, before JSON's escapes; or it is a single row."""

# A row that is worth no look of its own: of a page of 500 they make a megabyte.
_SMALL_BYTES = 2048
# Each waits for 10 s.
_TRIES = 12

Render = Callable[[Sequence[asyncpg.Record]], Awaitable[list[str | None]]]
"""Renders rows that a statement has only named; None for one that is not there any more."""


def bound_row_bytes(rows: int) -> int:
    """How large a row may be that is rendered at once, where so many may be found."""
    return max(RENDERED_BYTES // rows, _SMALL_BYTES)


class Rows:
    """What a statement found: which rows in which order, and the first of them as JSON text."""

    def __init__(self, records: Sequence[asyncpg.Record], render: Render) -> None:
        self.records = records
        self._render = render

    def take_first(self, number: int) -> "Rows":
        """Only so many of them."""
        return Rows(self.records[:number], self._render)

    async def render_parts(self) -> AsyncIterator[list[str | None]]:
        """The texts of all rows in order, part by part; None for one that was deleted meanwhile.

        Can be taken once: a part that was taken is not kept.
        """
        records, self.records = self.records, ()
        while records:
            number = _count_fitting(records)
            part, records = records[:number], records[number:]
            missing = [record for record in part if record["row"] is None]
            later = iter(await self._render_patiently(missing) if missing else ())
            texts = [record["row"] or next(later) for record in part]
            del part, missing, later
            yield texts

    async def _render_patiently(self, part: Sequence[asyncpg.Record]) -> list[str | None]:
        """Render a part of an answer that has begun, which could only be cut off."""
        for _ in range(_TRIES):
            with suppress(TooMuchAtOnce, Busy):
                return await self._render(part)
        return await self._render(part)

    @property
    def part_bytes(self) -> int:
        """How many bytes of text the largest part has."""
        largest: int = max((record["bytes"] for record in self.records), default=0)
        return max(RENDERED_BYTES, largest)

    @property
    def rendered(self) -> bool:
        """Whether nothing is left to be rendered."""
        return all(record["row"] is not None for record in self.records)


def _count_fitting(records: Sequence[asyncpg.Record]) -> int:
    """How many of these rows make a part: one at least."""
    number, size = 1, records[0]["bytes"]
    for record in records[1:]:
        size += record["bytes"]
        if size > RENDERED_BYTES:
            break
        number += 1
    return number
