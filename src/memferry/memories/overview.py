"""What there is: how many memories, in how many namespaces, and from when."""

from collections.abc import Sequence
from itertools import groupby

import asyncpg

from memferry.database.pool import Connection, Database
from memferry.database.sql import sql
from memferry.model.token import Caller
from memferry.wire.overview import NamespaceSpans, Overview

COUNTED_NAMESPACES = 20_000
"""Up to so many namespaces are counted."""
_COUNTED_ROWS = 100_000
_NAMED = 6
_MOST_SPANS = 48
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_SPANS_MS = (
    *(1_000, 10_000, _MINUTE, 5 * _MINUTE, 15 * _MINUTE),
    *(_HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR),
    *(_DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 28 * _DAY, 91 * _DAY, 364 * _DAY),
)


class MemoryOverview:
    """The overview of every tenant, one caller per call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def show(self, caller: Caller) -> Overview:
        """Count the memories that a caller sees, by namespace and time; many are estimated."""
        limited = caller.namespaces is not None
        async with self._database.tenant(caller, snapshot=True, heavy=True) as connection:
            (row,) = await connection.fetch(
                sql("memories/measure_overview"), limited, COUNTED_NAMESPACES
            )
            span_ms, starts_at = choose_spans(row["first_at"], row["last_at"])
            counts_exact = row["memories"] <= _COUNTED_ROWS
            cells = await _count(connection, starts_at, span_ms, exact=counts_exact)
        spans = 0 if row["last_at"] is None else (row["last_at"] - starts_at) // span_ms + 1
        return Overview(
            **dict(row),
            starts_at=starts_at,
            span_ms=span_ms,
            counts_exact=counts_exact,
            series=[_make_series(list(group), spans) for _, group in groupby(cells, _get_rank)],
        )


async def _count(
    connection: Connection, starts_at: int, span_ms: int, *, exact: bool
) -> Sequence[asyncpg.Record]:
    statement = sql("memories/count_by_time") if exact else sql("memories/sample_by_time")
    return await connection.fetch(statement, starts_at, span_ms, _NAMED)


def choose_spans(first_at: int | None, last_at: int | None) -> tuple[int, int]:
    """Choose the length of a span in ms, of which there are few, and when the first begins."""
    if first_at is None or last_at is None:
        return _DAY, 0
    span_ms = next((span for span in _SPANS_MS if _fits(first_at, last_at, span)), _SPANS_MS[-1])
    while not _fits(first_at, last_at, span_ms):
        span_ms *= 2
    return span_ms, first_at // span_ms * span_ms


def _fits(first_at: int, last_at: int, span_ms: int) -> bool:
    return last_at // span_ms - first_at // span_ms < _MOST_SPANS


def _get_rank(cell: asyncpg.Record) -> int:
    rank: int = cell["rank"]
    return rank


def _make_series(cells: Sequence[asyncpg.Record], spans: int) -> NamespaceSpans:
    counts = [0] * spans
    for cell in cells:
        counts[cell["span"]] += cell["rows"]
    return NamespaceSpans(namespace=cells[0]["namespace"], count=sum(counts), counts=counts)
