"""A search by words: first the rows that are scored, best first, then the others."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

import asyncpg
import msgspec

from memferry.database.pool import Connection
from memferry.database.sql import sql
from memferry.errors import Invalid
from memferry.filters import Selection
from memferry.memories.ranking import (
    HALF,
    SMALL_ROWS,
    WEIGHED_WORDS,
    Ranking,
    Word,
    match_any,
    match_leading,
    match_others,
    match_together,
)
from memferry.memories.rows import bound_row_bytes

# As subqueries the planner takes both conditions for rare, whatever the query (views.sql, twice()).
# No index has created_at + 0: the planner takes a third of all rows to come after any place, and
# would read their index of times.
BY_INDEX: LiteralString = (
    "keys @@ (SELECT $3::text::tsquery) AND keys @@ (SELECT twice($3::text::tsquery)) "
    "AND (created_at + 0, id) >= ($8::bigint, $9::uuid)"
)
# The index has no such expression: where few rows are left, to read them is quicker.
BY_READING: LiteralString = (
    "(keys || '') @@ $3::text::tsquery AND (created_at, id) >= ($8::bigint, $9::uuid)"
)
_LAST = (2**63 - 1, UUID(int=2**128 - 1))
# Below the scores of all rows that are scored.
_LEAST_SCORE = 1e-6
# To make the keys of a row takes about so many times as long as to look it up.
_READING_COST = 32
# To look up fewer takes less than to find where the newest begin.
_MANY_HITS = 4_000


@dataclass(frozen=True, kw_only=True)
class WordQuery:
    """A text to find, and the page to read; a place is score, `created_at`, `id` and ranking."""

    text: str
    number: int = 1
    """Its number among several queries, from 1."""
    is_prefix: bool = False
    """Whether words are beginnings of words."""
    limit: int
    offset: int = 0
    place: Sequence[Any] | None = None
    most_rows: int = 0
    """The most rows of all queries together; 0: those of this page."""

    @property
    def row_bytes(self) -> int:
        """The size up to which a row is rendered at once."""
        return bound_row_bytes(self.most_rows or self.limit)


class WordSearch:
    """Searches among the memories of a selection, in a transaction of their caller."""

    def __init__(self, connection: Connection, selection: Selection, *, limited: bool) -> None:
        """`limited`: whether the token of the caller is limited to namespaces."""
        self._connection = connection
        self._selection = selection
        self._limited = limited

    async def find(self, query: WordQuery) -> tuple[list[asyncpg.Record], Ranking | None]:
        """Find the rows of a page, and the ranking that the next page needs to agree with it.

        Raises Invalid for the cursor of a query with other words.
        """
        first = query.place is None
        rows = await self._connection.fetch(
            sql("memories/weigh_words"),
            *(query.text, query.is_prefix, WEIGHED_WORDS, self._limited, first),
        )
        if not rows:
            return [], None
        words = [Word(row["keys"], row["word"], row["stem"], row["is_weighed"]) for row in rows]
        if query.place is None:
            counts = tuple(row["rows"] for row in rows if row["is_weighed"])
            ranking = await self._choose(words, Ranking(rows[0]["all_rows"], counts))
        else:
            ranking = _check(query.place[3], words)
        return await self._read_page(query, words, ranking), ranking

    async def count(self, text: str, *, most: int, is_prefix: bool) -> int:
        """How many rows a search finds, up to `most`."""
        rows = await self._connection.fetch(
            sql("memories/weigh_words"), text, is_prefix, WEIGHED_WORDS, self._limited, False
        )
        if not rows:
            return 0
        words = [Word(row["keys"], row["word"], row["stem"], row["is_weighed"]) for row in rows]
        statement, arguments = self._selection.fill(
            sql("memories/count_found"), most, match_any(words)
        )
        number: int = await self._connection.fetchval(statement, *arguments)
        return number

    async def _choose(self, words: Sequence[Word], ranking: Ranking) -> Ranking:
        """Choose the rows that are scored: all, those with leading words, or the newest."""
        if ranking.finds_few:
            return ranking
        if await self._is_small():
            is_quick = sum(ranking.counts) < _READING_COST * SMALL_ROWS
            return msgspec.structs.replace(ranking, way="every" if is_quick else "small")
        together = await self._choose_together(words, ranking)
        if together or ranking.rare:
            return msgspec.structs.replace(ranking, way="leading", together=together)
        statement, arguments = self._selection.fill(sql("memories/find_newest"), HALF)
        place = await self._connection.fetchrow(statement, *arguments)
        since = tuple(place) if place else ranking.since
        return msgspec.structs.replace(ranking, way="newest", since=since)

    async def _is_small(self) -> bool:
        """Whether all memories of the selection can be scored."""
        if not self._selection.conditions and not self._limited:
            return False
        statement, arguments = self._selection.fill(sql("memories/count_selected"), SMALL_ROWS + 1)
        rows: int = await self._connection.fetchval(statement, *arguments)
        return rows <= SMALL_ROWS

    async def _choose_together(self, words: Sequence[Word], ranking: Ranking) -> int:
        """How many common words must come together to lead; 0: they find too many rows."""
        common = ranking.pick_common(words)
        for number in range(2, len(common) + 1):
            if ranking.estimate_together(number) <= HALF:
                rows = await self._count_hits(match_together(common, number))
                if rows <= HALF:
                    return number
        return 0

    async def _count_hits(self, query: str) -> int:
        rows: int = await self._connection.fetchval(sql("memories/count_hits"), query)
        return rows

    async def _read_page(
        self, query: WordQuery, words: Sequence[Word], ranking: Ranking
    ) -> list[asyncpg.Record]:
        if query.place is not None and query.place[0] < _LEAST_SCORE:
            return await self._read_others(query, words, ranking, query.limit, query.offset)
        scored, records = await self._read_scored(query, words, ranking)
        missing = query.limit - len(records)
        if missing:
            offset = max(query.offset - scored, 0)
            records += await self._read_others(query, words, ranking, missing, offset)
        return records

    async def _read_scored(
        self, query: WordQuery, words: Sequence[Word], ranking: Ranking
    ) -> tuple[int, list[asyncpg.Record]]:
        """How many rows are scored, and those of the page."""
        weighed = [word for word in words if word.is_weighed]
        statement, arguments = self._selection.fill(
            sql("memories/search_memories"),
            *(query.limit, query.offset, match_leading(words, ranking), query.row_bytes),
            *((query.place or (math.inf, *_LAST))[:3]),
            *ranking.since,
            *([word.stem for word in weighed], [word.word for word in weighed]),
            *(ranking.weights, query.number),
        )
        match = BY_INDEX if ranking.uses_index else BY_READING
        records = await self._connection.fetch(statement.replace("{match}", match), *arguments)
        return records[0]["found"], [record for record in records if record["id"] is not None]

    async def _read_others(
        self,
        query: WordQuery,
        words: Sequence[Word],
        ranking: Ranking,
        limit: int,
        offset: int,
    ) -> list[asyncpg.Record]:
        """The rows that are not scored, newest first."""
        others = match_others(words, ranking)
        if others is None:
            return []
        place = query.place[1:3] if query.place and query.place[0] < _LEAST_SCORE else _LAST
        if ranking.way == "newest":
            place = min(tuple(place), ranking.since)
        arguments = (limit, offset, others, query.row_bytes, *place, query.number)
        hits = await self._count_hits(others)
        records = await self._read_newest(arguments, hits, ranking)
        if len(records) == limit:
            return records
        return await self._fetch(sql("memories/list_other_hits"), *arguments)

    async def _read_newest(
        self, arguments: Sequence[Any], hits: int, ranking: Ranking
    ) -> list[asyncpg.Record]:
        """The rows of a page if there are many hits; fewer, if they lie further apart than most."""
        limit, offset, place = arguments[0], arguments[1], arguments[4:6]
        read_rows = 3 * (limit + offset) * ranking.all_rows // (2 * hits + 1)
        if read_rows <= 2 * SMALL_ROWS and read_rows * _READING_COST < hits:
            return await self._fetch(sql("memories/read_other_hits"), *arguments, read_rows)
        if hits < _MANY_HITS or tuple(place) != _LAST:
            return []
        statement, values = self._selection.fill(sql("memories/find_newest"), 2 * read_rows)
        oldest = await self._connection.fetchrow(statement, *values)
        if oldest is None:
            return []
        return await self._fetch(sql("memories/list_newest_hits"), *arguments, *oldest)

    async def _fetch(self, statement: LiteralString, *arguments: object) -> list[asyncpg.Record]:
        statement, filled = self._selection.fill(statement, *arguments)
        return await self._connection.fetch(statement, *filled)


def _check(ranking: Ranking, words: Sequence[Word]) -> Ranking:
    """The ranking of a cursor, which the client may have changed."""
    if not ranking.fits(words):
        raise Invalid("cursor", "is not one of ours; take it from the answer before")
    return ranking
