"""Deletes a project with its memories, as deletions of each memory would."""

from uuid import UUID

from memferry.database.pool import Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.erasure.memories import MemoryErasure
from memferry.errors import ProjectNotFound
from memferry.model.token import Caller

# Deleted in one transaction: as many as a batch of a client.
_BATCH_ROWS = 500


class ProjectErasure:
    """Deletes projects of every tenant, one tenant per call."""

    def __init__(self, database: Database, memories: MemoryErasure) -> None:
        self._database = database
        self._memories = memories

    async def delete(self, caller: Caller, project_id: UUID, *, purge: bool) -> int | None:
        """Delete the memories of a project, batch by batch, then the project itself.

        Answers how many exports were purged, as `MemoryErasure.delete_many`. A deletion that is cut
        short has deleted whole batches, and a repeated one goes on. Raises ProjectNotFound.
        """
        deleted, purged = 0, 0
        while True:
            ids = await self._list_memories(caller, project_id)
            deletion = await self._memories.delete_many(caller, ids, purge=purge, via="project")
            deleted, purged = deleted + len(deletion.ids), purged + (deletion.purged or 0)
            if not ids and await self._delete_row(caller, project_id, deleted):
                return None if deletion.purged is None else purged

    async def _list_memories(self, caller: Caller, project_id: UUID) -> list[UUID]:
        async with self._database.tenant(caller) as connection:
            row = await connection.fetchrow(
                sql("erasure/list_project_memories"), project_id, _BATCH_ROWS
            )
        if row is None:
            raise ProjectNotFound
        ids: list[UUID] = row["ids"]
        return ids

    @retry_conflicts
    async def _delete_row(self, caller: Caller, project_id: UUID, deleted: int) -> bool:
        """Delete the project unless memories were saved meanwhile; answers whether it is gone."""
        async with self._database.tenant(caller) as connection:
            row = await connection.fetchrow(sql("erasure/delete_project"), project_id, deleted)
        return row is not None
