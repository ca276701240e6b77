"""The projects of one tenant. Rows are answered as JSON text.

A project is a namespace with a description. Every namespace with memories is one: it gets its row
when projects are listed for the first time.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import UNSET

from memferry.database.pool import Connection, Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import (
    Invalid,
    ProjectNameInUse,
    ProjectNotFound,
    TooLarge,
    TooManyProjects,
    UnknownToken,
)
from memferry.model.json_text import merge_members
from memferry.model.token import Caller
from memferry.projects.validation import METADATA_BYTES, ValidProjectChange, check_project
from memferry.settings import Quotas
from memferry.wire.projects import NewProject

MOVED_ROWS = 100_000
"""The most memories that one change of a name moves."""
_BATCH_ROWS = 1000
# Before the first project: the negated time of its last change, and its name.
_FIRST = (-(2**63), "")


class Projects:
    """The projects of every tenant, one caller per call."""

    def __init__(self, database: Database, quotas: Quotas = Quotas()) -> None:
        self._database = database
        self._quotas = quotas

    @retry_conflicts
    async def list_active(
        self, caller: Caller, *, limit: int, place: Sequence[Any] | None = None
    ) -> Sequence[asyncpg.Record]:
        """The projects after a place, the most recently active first.

        A place is `place` and `name`, which stand beside each `row`; None: the beginning.
        """
        async with self._database.tenant(caller, heavy=True) as connection:
            return await connection.fetch(sql("projects/list_projects"), limit, *(place or _FIRST))

    async def get(self, caller: Caller, project_id: UUID) -> str:
        """One project's row; raises ProjectNotFound."""
        async with self._database.tenant(caller, heavy=True) as connection:
            return await _read(connection, project_id)

    @retry_conflicts
    async def create(self, caller: Caller, new: NewProject) -> str:
        """Create a project, and answer its row.

        Raises Invalid or TooLarge for a wrong field, NamespaceForbidden, TooManyProjects, and
        ProjectNameInUse for the name of a project or of a namespace with memories.
        """
        *values, retention_days = check_project(new)
        caller.check_namespace(new.name, "name")
        async with self._database.tenant(caller) as connection:
            answer = await connection.fetchrow(
                sql("projects/create_project"), *values, self._quotas.projects, retention_days
            )
            if answer is None:
                raise UnknownToken  # its tenant is being deleted
            if answer["too_many"]:
                raise TooManyProjects(self._quotas.projects)
            if answer["id"] is None:
                raise ProjectNameInUse
            return await _read(connection, answer["id"])

    @retry_conflicts
    async def change(self, caller: Caller, project_id: UUID, change: ValidProjectChange) -> str:
        """Change the fields that are given, and answer the row; a new name moves all memories.

        Raises ProjectNotFound, Invalid for more memories than a new name may move, TooLarge for the
        merged metadata, NamespaceForbidden and ProjectNameInUse.
        """
        async with self._database.tenant(
            caller, long_running=True, heavy=True, via="project"
        ) as connection:
            project = await connection.fetchrow(sql("projects/lock_project"), project_id)
            if project is None:
                raise ProjectNotFound
            if change.name is not None and change.name != project["name"]:
                await _move(connection, caller, project["name"], change.name)
            await _change_row(connection, project_id, project["metadata"], change)
            return await _read(connection, project_id)


async def _read(connection: Connection, project_id: UUID) -> str:
    row: str | None = await connection.fetchval(sql("projects/get_project"), project_id)
    if row is None:
        raise ProjectNotFound
    return row


async def _move(connection: Connection, caller: Caller, old: str, new: str) -> None:
    """Move all memories of a namespace into one that nobody uses."""
    caller.check_namespace(new, "name")
    if await connection.fetchval(sql("projects/find_use"), new):
        raise ProjectNameInUse
    rows = await connection.fetch(sql("projects/lock_namespace"), old, MOVED_ROWS + 1)
    if len(rows) > MOVED_ROWS:
        raise Invalid("name", f"cannot change: the project has more than {MOVED_ROWS:,} memories")
    ids = [row["id"] for row in rows]
    for start in range(0, len(ids), _BATCH_ROWS):
        await connection.fetch(sql("projects/move_memories"), ids[start : start + _BATCH_ROWS], new)


async def _change_row(
    connection: Connection, project_id: UUID, metadata: str, change: ValidProjectChange
) -> None:
    """Change the row of a project; `metadata` is what it has."""
    if change.metadata is not None:
        metadata = await asyncio.to_thread(_merge, metadata, change.metadata)
    try:
        await connection.execute(
            sql("projects/change_project"),
            project_id,
            change.name,
            metadata,
            change.description is not UNSET,
            None if change.description is UNSET else change.description,
            change.archived,
            change.retention_days is not UNSET,
            None if change.retention_days is UNSET else change.retention_days,
        )
    except asyncpg.UniqueViolationError as fault:
        raise ProjectNameInUse from fault  # another request was faster


def _merge(old: str, patch: str) -> str:
    merged = merge_members(old.encode(), patch.encode())
    if len(merged) > METADATA_BYTES:
        raise TooLarge("metadata", METADATA_BYTES)
    return merged.decode()
