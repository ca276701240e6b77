"""What can be done with one tenant's memories. Rows come back as JSON text PostgreSQL rendered."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from memferry.database.literal import array
from memferry.database.pool import Connection, Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import (
    MemoryNotFound,
    TooLarge,
    TooManyMemories,
    TooManyMemoryBytes,
    UnknownToken,
)
from memferry.filters import Selection
from memferry.memories.rows import RENDERED_BYTES, Render, Rows, bound_row_bytes
from memferry.model import rules
from memferry.model.identity import new_memory_ids
from memferry.model.json_text import merge_members
from memferry.model.memory import MovedRow, ValidChange, ValidMemory
from memferry.model.strict_json import compact
from memferry.model.token import Caller
from memferry.settings import Quotas

Batches = Callable[[], AsyncIterator[Sequence[MovedRow]]]
"""Gives the rows of a bulk save from the first to the last."""

# Places before the first row: no memory is as new as that, no piece of a thread as early.
_NEWEST = (2**63 - 1, UUID(int=0))
_FIRST_NAMESPACE = (-(2**63), "")
_FOREMOST = (Decimal("-Infinity"), 0, UUID(int=0))


class Memories:
    """The memories of every tenant, one caller per call."""

    def __init__(self, database: Database, quotas: Quotas = Quotas()) -> None:
        self._database = database
        self._quotas = quotas

    @retry_conflicts
    async def save(self, caller: Caller, new: ValidMemory) -> str:
        """Save one memory; answers its row. The same content saved twice is two memories.

        Raises NamespaceForbidden, as do all that save or move, and LimitReached for more than one
        tenant may have.
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
            )
        saved: str = self._saved(row, "row")
        return saved

    @retry_conflicts
    async def save_many(self, caller: Caller, batches: Batches, *, most: int) -> list[UUID]:
        """Save all of these or none; answers their ids, which rise in the same order.

        `most` is how many there may be in all batches. Batches are taken anew for each try.
        """
        ids, new_ids = list[UUID](), new_memory_ids(most)
        async with self._database.tenant(caller, patient=True, heavy=True) as connection:
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
            # unnest cannot take lists of unequal length apart
            [array(memory.tags) for memory in memories],
            [memory.source for memory in memories],
            [memory.source_ref for memory in memories],
            [memory.metadata for memory in memories],
            [row.created_at for row in rows],
            [row.updated_at for row in rows],
            self._quotas.memories,
            self._quotas.memory_bytes,
            timeout=self._database.patient_timeout,
        )
        self._saved(row, "saved")

    def _saved(self, row: asyncpg.Record | None, name: str) -> Any:
        """What was saved; raises the limit that is reached, or that the tenant is being deleted."""
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
        return _found(row)

    @retry_conflicts
    async def change(self, caller: Caller, memory_id: UUID, change: ValidChange) -> str:
        """Change what is given; answers the new row.

        Raises MemoryNotFound, TooLarge, and TooManyMemoryBytes if the row would grow beyond what
        one tenant may have.

        Metadata is merged at its top level, and a null there removes the key.
        """
        if change.namespace is not None:
            caller.check_namespace(change.namespace)
        metadata = change.metadata
        async with self._database.tenant(caller) as connection:
            if metadata is not None:
                old = _found(await connection.fetchval(sql("memories/lock_metadata"), memory_id))
                metadata = await asyncio.to_thread(_merge, old, metadata)
            answer = await connection.fetchrow(
                sql("memories/change_memory"),
                memory_id,
                change.content,
                change.tags,
                change.namespace,
                metadata,
                self._quotas.memory_bytes,
            )
        if answer is None:
            raise MemoryNotFound
        if answer["row"] is None:
            raise TooManyMemoryBytes(self._quotas.memory_bytes)
        row: str = answer["row"]
        return row

    async def newest(
        self,
        caller: Caller,
        selection: Selection,
        *,
        limit: int,
        offset: int = 0,
        place: Sequence[Any] | None = None,
    ) -> Rows:
        """The rows that match, newest first, behind a place if one is given.

        A place is made of `created_at` and `id`.
        """
        statement, arguments = selection.apply(
            sql("memories/list_memories"),
            limit,
            offset,
            bound_row_bytes(limit),
            *(place or _NEWEST),
        )
        heavy = bool(selection.conditions)
        return Rows(
            await self._fetch(caller, statement, arguments, heavy=heavy), self._renderer(caller)
        )

    async def search(
        self,
        caller: Caller,
        queries: Sequence[str],
        selection: Selection,
        *,
        limit: int,
        offset: int = 0,
        place: Sequence[Any] | None = None,
    ) -> Rows:
        """For each query the rows that match and share any word with it, best first.

        As `newest`; a place has the score before the others. Each row has its score, and `query`,
        the number of its query from 1.
        """
        statement, arguments = selection.apply(
            sql("memories/search_memories"),
            *(limit, offset, list(queries), bound_row_bytes(limit * len(queries))),
            *(place or (math.inf, *_NEWEST)),
        )
        return Rows(
            await self._fetch(caller, statement, arguments, heavy=True), self._renderer(caller)
        )

    async def thread(
        self,
        caller: Caller,
        reference: str,
        memory_id: UUID | None,
        *,
        limit: int,
        place: Sequence[Any] | None = None,
    ) -> Rows:
        """The rows whose metadata.parent_ref or source_ref is this, by metadata.chunk_index.

        The memory with that id is one of them if it has no parent_ref. As `newest`; a place is
        `position`, `created_at` and `id`.
        """
        arguments = [reference, limit, RENDERED_BYTES, *(place or _FOREMOST), memory_id]
        found = await self._fetch(caller, sql("memories/list_thread"), arguments, heavy=True)
        return Rows(found, self._renderer(caller))

    def _renderer(self, caller: Caller) -> Render:
        async def render(records: Sequence[asyncpg.Record]) -> list[str | None]:
            arguments: list[object] = [[record["id"] for record in records]]
            statement = sql("memories/render_memories")
            if "score" in records[0].keys():  # noqa: SIM118 - a record is no mapping
                statement = sql("memories/render_hits")
                arguments.append([record["score"] for record in records])
            rows = await self._fetch(caller, statement, arguments)
            texts = {row["place"]: row["row"] for row in rows}
            return [texts.get(place) for place in range(1, len(records) + 1)]

        return render

    async def namespaces(
        self, caller: Caller, *, limit: int, place: Sequence[Any] | None = None
    ) -> list[Mapping[str, Any]]:
        """Name, number of memories and last change (epoch ms) of namespaces, newest first.

        A place is the last change, negated, and the name; None: the first.
        """
        arguments = [limit, *(place or _FIRST_NAMESPACE)]
        rows = await self._fetch(caller, sql("memories/list_namespaces"), arguments, heavy=True)
        return [dict(row) for row in rows]

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


async def delete_memory(connection: Connection, memory_id: UUID) -> str:
    """Delete one memory in a transaction of its tenant; answers its row. Raises MemoryNotFound."""
    return _found(await connection.fetchval(sql("memories/delete_memory"), memory_id))


def _merge(old: str, patch: str) -> str:
    """Raises TooLarge if what comes out is more than metadata may be."""
    merged = merge_members(compact("metadata", old.encode()), patch.encode())
    if len(merged) > rules.METADATA_BYTES:
        raise TooLarge("metadata", rules.METADATA_BYTES)
    return merged.decode()


def _found(row: str | None) -> str:
    if row is None:
        raise MemoryNotFound
    return row
