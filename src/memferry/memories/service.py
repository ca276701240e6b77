"""What can be done with one tenant's memories. Rows come back as JSON text PostgreSQL rendered."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from memferry.database.literal import array
from memferry.database.pool import Connection, Database
from memferry.database.sql import sql
from memferry.errors import MemoryNotFound, UnknownToken
from memferry.filters import Selection
from memferry.model.identity import new_memory_ids
from memferry.model.memory import Change, Checked
from memferry.model.token import Caller

Times = tuple[int | None, int | None]


class Memories:
    """The memories of every tenant, one caller per call."""

    def __init__(self, database: Database) -> None:
        self._database = database

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

    async def save_many(self, caller: Caller, items: Sequence[tuple[Checked, Times]]) -> int:
        """Save all of these or none; answers how many. Their order is the order of their ids."""
        new = [each for each, _ in items]
        for index, each in enumerate(new):
            caller.check_namespace(each.namespace, f"items[{index}].namespace")
        async with self._database.tenant(caller, patient=True) as connection:
            saved: int = await connection.fetchval(
                sql("save_memories"),
                new_memory_ids(len(items)),
                [each.content for each in new],
                [each.namespace for each in new],
                # unnest cannot take lists of unequal length apart
                [array(each.tags) for each in new],
                [each.source for each in new],
                [each.source_ref for each in new],
                [each.metadata for each in new],
                [created for _, (created, _) in items],
                [updated for _, (_, updated) in items],
            )
        if saved < len(items):
            raise UnknownToken  # its tenant is being deleted
        return saved

    async def get(self, caller: Caller, memory_id: UUID) -> str:
        """One memory's row; raises MemoryNotFound."""
        async with self._database.tenant(caller) as connection:
            row: str | None = await connection.fetchval(sql("get_memory"), memory_id)
        return _found(row)

    async def change(self, caller: Caller, memory_id: UUID, change: Change) -> str:
        """Change what is given; answers the new row. Raises MemoryNotFound, Invalid."""
        arguments = change.arguments()
        _, _, namespace, _ = arguments
        if namespace is not None:
            caller.check_namespace(namespace)
        async with self._database.tenant(caller) as connection:
            row: str | None = await connection.fetchval(sql("change_memory"), memory_id, *arguments)
        return _found(row)

    async def newest(
        self, caller: Caller, selection: Selection, *, limit: int, offset: int = 0
    ) -> list[str]:
        """The rows that match, newest first."""
        statement, arguments = selection.apply(sql("list_memories"), limit, offset)
        return await self._rows(caller, statement, arguments)

    async def search(
        self, caller: Caller, query: str, selection: Selection, *, limit: int, offset: int = 0
    ) -> list[str]:
        """The rows that match and share any word with the query, best first, each with a score."""
        statement, arguments = selection.apply(sql("search_memories"), limit, offset, query)
        return await self._rows(caller, statement, arguments)

    async def thread(self, caller: Caller, reference: str) -> list[str]:
        """The rows whose metadata.parent_ref or source_ref is this, by metadata.chunk_index."""
        return await self._rows(caller, sql("list_thread"), [reference])

    async def namespaces(self, caller: Caller) -> list[Mapping[str, object]]:
        """Name, number of memories and last change (epoch ms) of each namespace, newest first."""
        async with self._database.tenant(caller) as connection:
            return [dict(row) for row in await connection.fetch(sql("list_namespaces"))]

    async def _rows(self, caller: Caller, statement: str, arguments: Sequence[object]) -> list[str]:
        async with self._database.tenant(caller) as connection:
            return [row[0] for row in await connection.fetch(statement, *arguments)]


async def delete_memory(connection: Connection, memory_id: UUID) -> str:
    """Delete one memory in a transaction of its tenant; answers its row. Raises MemoryNotFound."""
    return _found(await connection.fetchval(sql("delete_memory"), memory_id))


def _found(row: str | None) -> str:
    if row is None:
        raise MemoryNotFound
    return row
