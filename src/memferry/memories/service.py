"""What can be done with one tenant's memories. Rows come back as JSON text PostgreSQL rendered."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from memferry.database.literal import array
from memferry.database.pool import Connection, Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import MemoryNotFound, TooLarge, UnknownToken
from memferry.filters import Selection
from memferry.model import json, rules
from memferry.model.identity import new_memory_ids
from memferry.model.memory import Change, Checked
from memferry.model.token import Caller

Times = tuple[int | None, int | None]

# Places before the first row: no memory is as new as that, no piece of a thread as early.
_NEWEST = (2**63 - 1, UUID(int=0))
_FOREMOST = (Decimal("-Infinity"), 0, UUID(int=0))


class Memories:
    """The memories of every tenant, one caller per call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retry_conflicts
    async def save(self, caller: Caller, new: Checked) -> str:
        """Save one memory; answers its row. The same content saved twice is two memories.

        Raises NamespaceForbidden, as do all that save or move.
        """
        caller.check_namespace(new.namespace)
        (memory_id,) = new_memory_ids(1)
        async with self._database.tenant(caller) as connection:
            row: str | None = await connection.fetchval(
                sql("save_memory"),
                memory_id,
                new.content,
                new.namespace,
                new.tags,
                new.source,
                new.source_ref,
                new.metadata,
            )
        if row is None:
            raise UnknownToken  # its tenant is being deleted
        return row

    @retry_conflicts
    async def save_many(self, caller: Caller, items: Sequence[tuple[Checked, Times]]) -> list[UUID]:
        """Save all of these or none; answers their ids, which rise in the same order."""
        new = [each for each, _ in items]
        for index, each in enumerate(new):
            caller.check_namespace(each.namespace, f"items[{index}].namespace")
        ids = new_memory_ids(len(items))
        async with self._database.tenant(caller, patient=True) as connection:
            saved: int = await connection.fetchval(
                sql("save_memories"),
                ids,
                [each.content for each in new],
                [each.namespace for each in new],
                # unnest cannot take lists of unequal length apart
                [array(each.tags) for each in new],
                [each.source for each in new],
                [each.source_ref for each in new],
                [each.metadata for each in new],
                [created for _, (created, _) in items],
                [updated for _, (_, updated) in items],
                timeout=self._database.patient_timeout,
            )
        if saved < len(items):
            raise UnknownToken  # its tenant is being deleted
        return ids

    async def get(self, caller: Caller, memory_id: UUID) -> str:
        """One memory's row; raises MemoryNotFound."""
        async with self._database.tenant(caller) as connection:
            row: str | None = await connection.fetchval(sql("get_memory"), memory_id)
        return _found(row)

    @retry_conflicts
    async def change(self, caller: Caller, memory_id: UUID, change: Change) -> str:
        """Change what is given; answers the new row. Raises MemoryNotFound, Invalid, TooLarge.

        Metadata is merged at its top level, and a null there removes the key.
        """
        content, tags, namespace, metadata = change.arguments()
        if namespace is not None:
            caller.check_namespace(namespace)
        async with self._database.tenant(caller) as connection:
            if metadata is not None:
                metadata = _merge(
                    _found(await connection.fetchval(sql("lock_metadata"), memory_id)), metadata
                )
            row: str | None = await connection.fetchval(
                sql("change_memory"), memory_id, content, tags, namespace, metadata
            )
        return _found(row)

    async def newest(
        self,
        caller: Caller,
        selection: Selection,
        *,
        limit: int,
        offset: int = 0,
        place: Sequence[Any] | None = None,
    ) -> list[asyncpg.Record]:
        """The rows that match, newest first, behind a place if one is given.

        Each is rendered as `row`; `created_at` and `id`, which a place is made of, stand beside it.
        """
        statement, arguments = selection.apply(
            sql("list_memories"), limit, offset, *(place or _NEWEST)
        )
        return await self._fetch(caller, statement, arguments)

    async def search(
        self,
        caller: Caller,
        query: str,
        selection: Selection,
        *,
        limit: int,
        offset: int = 0,
        place: Sequence[Any] | None = None,
    ) -> list[asyncpg.Record]:
        """The rows that match and share any word with the query, best first, each with a score.

        As `newest`; a place has the score before the others.
        """
        statement, arguments = selection.apply(
            sql("search_memories"), limit, offset, query, *(place or (math.inf, *_NEWEST))
        )
        return await self._fetch(caller, statement, arguments)

    async def thread(
        self,
        caller: Caller,
        reference: str,
        memory_id: UUID | None,
        *,
        limit: int,
        place: Sequence[Any] | None = None,
    ) -> list[asyncpg.Record]:
        """The rows whose metadata.parent_ref or source_ref is this, by metadata.chunk_index.

        The memory with that id is one of them if it has no parent_ref. As `newest`; a place is
        `position`, `created_at` and `id`.
        """
        arguments = [reference, limit, *(place or _FOREMOST), memory_id]
        return await self._fetch(caller, sql("list_thread"), arguments)

    async def namespaces(self, caller: Caller) -> list[Mapping[str, object]]:
        """Name, number of memories and last change (epoch ms) of each namespace, newest first."""
        async with self._database.tenant(caller) as connection:
            return [dict(row) for row in await connection.fetch(sql("list_namespaces"))]

    async def _fetch(
        self, caller: Caller, statement: str, arguments: Sequence[object]
    ) -> list[asyncpg.Record]:
        async with self._database.tenant(caller) as connection:
            return await connection.fetch(statement, *arguments)


async def delete_memory(connection: Connection, memory_id: UUID) -> str:
    """Delete one memory in a transaction of its tenant; answers its row. Raises MemoryNotFound."""
    return _found(await connection.fetchval(sql("delete_memory"), memory_id))


def _merge(old: str, patch: str) -> str:
    """Raises TooLarge if what comes out is more than metadata may be."""
    merged = json.merge_members(json.compact("metadata", old.encode()), patch.encode())
    if len(merged) > rules.METADATA_BYTES:
        raise TooLarge("metadata", rules.METADATA_BYTES)
    return merged.decode()


def _found(row: str | None) -> str:
    if row is None:
        raise MemoryNotFound
    return row
