"""The memories of one tenant. PostgreSQL renders the rows of answers as JSON text."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from memferry.database.literals import array
from memferry.database.pool import Connection, Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import (
    MemoryNotFound,
    TooManyMemories,
    TooManyMemoryBytes,
    UnknownToken,
)
from memferry.filters import Selection
from memferry.filters.orders import NEWEST
from memferry.memories.changes import change_memory
from memferry.memories.ranking import Ranking
from memferry.memories.rendering import make_renderer
from memferry.memories.rows import RENDERED_BYTES, Rows, bound_row_bytes
from memferry.memories.search import WordQuery, WordSearch
from memferry.model.identity import new_memory_ids
from memferry.model.memory import MovedRow, ValidChange, ValidMemory
from memferry.model.token import Caller
from memferry.settings import Quotas

Batches = Callable[[], AsyncIterator[Sequence[MovedRow]]]
"""Yields the rows of a bulk save in their order, batch by batch."""

# Places before the first row of a list.
_FIRST_NAMESPACE = (-(2**63), "")
_THREAD_START = (Decimal("-Infinity"), 0, UUID(int=0))


class Memories:
    """The memories of every tenant, one caller per call."""

    def __init__(self, database: Database, quotas: Quotas = Quotas()) -> None:
        self._database = database
        self._quotas = quotas

    @retry_conflicts
    async def save(self, caller: Caller, new: ValidMemory) -> str:
        """Save one memory and answer its row; the same content saved twice makes two memories.

        Raises NamespaceForbidden for a namespace beyond the caller's, TooManyMemories and
        TooManyMemoryBytes.
        """
        caller.check_namespace(new.namespace)
        (memory_id,) = new_memory_ids(1)
        async with self._database.tenant(caller) as connection:
            row = await connection.fetchrow(
                sql("memories/save_memory"),
                memory_id,
                new.content,
                new.namespace,
                new.tags,
                new.source,
                new.source_ref,
                new.metadata,
                self._quotas.memories,
                self._quotas.memory_bytes,
                new.expires_at,
            )
        saved: str = self._require_saved(row, "row")
        return saved

    @retry_conflicts
    async def save_many(self, caller: Caller, batches: Batches, *, most: int) -> list[UUID]:
        """Save all rows or none, and answer their ids, which rise in the order of the rows.

        `most` is the number of rows in all batches, at most. `batches` is called for each try.
        Raises as `save`.
        """
        ids, new_ids = list[UUID](), new_memory_ids(most)
        async with self._database.tenant(caller, long_running=True, heavy=True) as connection:
            async for rows in batches():
                if not rows:
                    continue
                for row in rows:
                    caller.check_namespace(row.memory.namespace, f"items[{row.index}].namespace")
                batch = new_ids[len(ids) : len(ids) + len(rows)]
                await self._save_batch(connection, batch, rows)
                ids += batch
        return ids

    async def _save_batch(
        self, connection: Connection, ids: Sequence[UUID], rows: Sequence[MovedRow]
    ) -> None:
        memories = [row.memory for row in rows]
        row = await connection.fetchrow(
            sql("memories/save_memories"),
            ids,
            [memory.content for memory in memories],
            [memory.namespace for memory in memories],
            # unnest flattens nested arrays, so the tags of each memory are one text.
            [array(memory.tags) for memory in memories],
            [memory.source for memory in memories],
            [memory.source_ref for memory in memories],
            [memory.metadata for memory in memories],
            [row.created_at for row in rows],
            [row.updated_at for row in rows],
            self._quotas.memories,
            self._quotas.memory_bytes,
            [memory.expires_at for memory in memories],
            timeout=self._database.long_running_timeout,
        )
        self._require_saved(row, "saved")

    def _require_saved(self, row: asyncpg.Record | None, name: str) -> Any:
        """The column `name`; raises the limit that is reached, or UnknownToken.

        Nothing is saved without a limit only if the tenant is being deleted.
        """
        answer = dict(row or {})
        if answer["too_many"]:
            raise TooManyMemories(self._quotas.memories)
        if answer["too_large"]:
            raise TooManyMemoryBytes(self._quotas.memory_bytes)
        if not answer[name]:
            raise UnknownToken
        return answer[name]

    async def get(self, caller: Caller, memory_id: UUID) -> str:
        """One memory's row; raises MemoryNotFound."""
        async with self._database.tenant(caller) as connection:
            row: str | None = await connection.fetchval(sql("memories/get_memory"), memory_id)
        if row is None:
            raise MemoryNotFound
        return row

    @retry_conflicts
    async def change(self, caller: Caller, memory_id: UUID, change: ValidChange) -> str:
        """Change one memory as `change_memory`, which see, and answer the new row."""
        async with self._database.tenant(caller) as connection:
            return await change_memory(connection, caller, memory_id, change, self._quotas)

    async def list_newest(
        self,
        caller: Caller,
        selection: Selection,
        *,
        limit: int,
        offset: int = 0,
        place: Sequence[Any] | None = None,
    ) -> Rows:
        """The rows that match, newest first, after a place if one is given.

        A place is `created_at` and `id` of the last row before.
        """
        statement, arguments = selection.fill(
            NEWEST.fill(sql("memories/list_memories")),
            limit,
            offset,
            bound_row_bytes(limit),
            *(place or NEWEST.start),
        )
        heavy = bool(selection.conditions)
        return Rows(
            await self._fetch(caller, statement, arguments, heavy=heavy),
            make_renderer(self._database, caller),
        )

    async def search(
        self,
        caller: Caller,
        text: str,
        selection: Selection,
        *,
        limit: int,
        offset: int = 0,
        place: Sequence[Any] | None = None,
        is_prefix: bool = False,
    ) -> tuple[Rows, Ranking | None]:
        """The rows that match and share any word with the text, best first, and their ranking.

        Each row has its score. A place is score, `created_at`, `id` and ranking; raises Invalid for
        one of other words. With `is_prefix` words are beginnings of words.
        """
        query = WordQuery(text=text, limit=limit, offset=offset, place=place, is_prefix=is_prefix)
        async with self._open_search(caller, selection) as search:
            records, ranking = await search.find(query)
        return Rows(records, make_renderer(self._database, caller)), ranking

    async def count(
        self,
        caller: Caller,
        text: str,
        selection: Selection,
        *,
        most: int,
        is_prefix: bool = False,
    ) -> int:
        """How many rows match and, with a text, share any word with it; of all rows exactly.

        Of some rows, up to `most` are counted.
        """
        if text:
            async with self._open_search(caller, selection) as search:
                return await search.count(text, most=most, is_prefix=is_prefix)
        if selection.conditions or caller.namespaces is not None:
            statement, arguments = selection.fill(sql("memories/count_selected"), most)
            (row,) = await self._fetch(caller, statement, arguments, heavy=True)
        else:
            (row,) = await self._fetch(caller, sql("memories/count_stored"), ())
        rows: int = row["count"]
        return rows

    async def search_many(
        self,
        caller: Caller,
        texts: Sequence[str],
        selection: Selection,
        *,
        limit: int,
        is_prefix: bool = False,
    ) -> Rows:
        """For each text the best rows; each row has in `query` the number of its text from 1."""
        records: list[asyncpg.Record] = []
        async with self._open_search(caller, selection) as search:
            for number, text in enumerate(texts, 1):
                query = WordQuery(
                    text=text,
                    number=number,
                    limit=limit,
                    most_rows=limit * len(texts),
                    is_prefix=is_prefix,
                )
                records += (await search.find(query))[0]
        return Rows(records, make_renderer(self._database, caller))

    async def list_thread(
        self,
        caller: Caller,
        reference: str,
        memory_id: UUID | None,
        *,
        limit: int,
        place: Sequence[Any] | None = None,
    ) -> Rows:
        """The rows whose metadata.parent_ref or source_ref is `reference`, by metadata.chunk_index.

        The memory with the id belongs to them if it has no parent_ref. A place is `position`,
        `created_at` and `id`.
        """
        arguments = [reference, limit, RENDERED_BYTES, *(place or _THREAD_START), memory_id]
        records = await self._fetch(caller, sql("memories/list_thread"), arguments, heavy=True)
        return Rows(records, make_renderer(self._database, caller))

    async def list_namespaces(
        self, caller: Caller, *, limit: int, place: Sequence[Any] | None = None
    ) -> list[Mapping[str, Any]]:
        """Name, number of memories and last change (epoch ms) of namespaces, last changed first.

        A place is the negated last change and the name; None: the beginning.
        """
        arguments = [limit, *(place or _FIRST_NAMESPACE)]
        rows = await self._fetch(caller, sql("memories/list_namespaces"), arguments, heavy=True)
        return [dict(row) for row in rows]

    async def find_namespaces(self, caller: Caller, text: str, *, limit: int) -> list[str]:
        """The first namespaces by name that hold a text, in any case of its letters."""
        rows = await self._fetch(caller, sql("memories/find_namespaces"), [text, limit], heavy=True)
        return [row["name"] for row in rows]

    @asynccontextmanager
    async def _open_search(self, caller: Caller, selection: Selection) -> AsyncIterator[WordSearch]:
        async with self._database.tenant(caller, heavy=True) as connection:
            yield WordSearch(connection, selection, limited=caller.namespaces is not None)

    async def _fetch(
        self,
        caller: Caller,
        statement: str,
        arguments: Sequence[object],
        *,
        heavy: bool = False,
    ) -> list[asyncpg.Record]:
        async with self._database.tenant(caller, heavy=heavy) as connection:
            return await connection.fetch(statement, *arguments)
