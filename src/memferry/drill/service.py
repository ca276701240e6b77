"""Restores an export into a throw-away tenant, compares everything, and removes the tenant."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from memferry.database.pool import Database
from memferry.database.sessions import owner_connection
from memferry.database.sql import sql
from memferry.drill.comparison import Comparison
from memferry.drill.stored_export import StoredExport, fetch_export
from memferry.errors import ImportFailed, Invalid
from memferry.exports.read.snapshot import Reader
from memferry.exports.service import Exports
from memferry.imports.merge import Merge
from memferry.imports.reading import Reading
from memferry.imports.request import ImportRequest
from memferry.imports.workspace import open_workspace
from memferry.model.export import Export
from memferry.model.identity import new_export_id
from memferry.model.token import Caller
from memferry.settings import Settings
from memferry.storage import Storage
from memferry.tenants.deletion import TenantDeletion
from memferry.tenants.operator import Operator
from memferry.wire.imports import ImportReport

SOURCES = {
    "json": "memferry",
    "ndjson": "memferry",
    "csv": "csv",
    "parquet": "parquet",
    "okf": "markdown",
}
"""Formats that keep ids and times, and the sources that read them; an empty file shows no kind."""
_TENANT_PREFIX = "memferry-drill-"

Tell = Callable[[str], None]
"""Takes a line about what was done."""


class Drill:
    """Drills with one database and its store; `url` names the role that owns the tables."""

    def __init__(self, database: Database, storage: Storage, url: str, settings: Settings) -> None:
        """A statement of the database may take as long as an import may."""
        self._database = database
        self._storage = storage
        self._url = url
        self._settings = settings
        self._exports = Exports(database, storage, settings.exports, settings.quotas)

    async def run(self, tenant: str | None, export_id: str | None, tell: Tell) -> str | None:
        """Drill with the newest export that can be restored, of all tenants or of one, or with one.

        Answers what is wrong, None if nothing is. Raises Invalid where there is no such export,
        WrongBytes, ObjectNotFound and Unavailable.
        """
        export = await self._find(tenant, export_id, tell)
        async with open_workspace(self._settings.worker.import_dir) as directory:
            stored = await fetch_export(export, self._storage, directory)
            tell("the file is whole, and its SHA-256 the recorded one")
            async with self._lend_tenant(tell) as tenant_id:
                report = await self._restore(stored, directory, tenant_id)
                tell(f"{report.created:,} memories were restored into a throw-away tenant")
                return _find_loss(export, report) or await self._compare(stored, tenant_id)

    async def _find(self, tenant: str | None, export_id: str | None, tell: Tell) -> Export:
        async with owner_connection(self._url) as connection:
            row = await connection.fetchrow(
                sql("drill/find_newest_export"), list(SOURCES), tenant, export_id
            )
        if row is None:
            raise Invalid(
                "export" if export_id is not None else "tenant",
                f"there is no completed export of this kind ({', '.join(SOURCES)}, all fields, "
                "not encrypted)",
            )
        export = await self._exports.get(Caller(tenant_id=row["tenant_id"]), row["export_id"])
        tell(
            f"export {export.id} of {row['tenant']}: {export.format}, "
            f"{export.row_count:,} memories, {export.bytes_done:,} bytes"
        )
        return export

    @asynccontextmanager
    async def _lend_tenant(self, tell: Tell) -> AsyncIterator[UUID]:
        """A tenant that is removed at the end, whatever happens."""
        name = f"{_TENANT_PREFIX}{new_export_id()}"
        tenant_id = await Operator(self._url).ensure_tenant(name)
        try:
            yield tenant_id
        finally:
            removed = await TenantDeletion(self._url, self._storage).delete(name)
            tell(f"the throw-away tenant was removed, {removed.rows:,} rows")

    async def _restore(
        self, stored: StoredExport, directory: Path, tenant_id: UUID
    ) -> ImportReport:
        """Import the file as everybody would; raises ImportFailed if a record is rejected."""
        request = ImportRequest(format=SOURCES[stored.export.format])
        files = [(path.name, path) for path in stored.paths]
        async with (
            Reading(files, directory, request, None) as reading,
            self._database.tenant(tenant_id, long_running=True) as connection,
        ):
            merge = Merge(self._database, connection, request, self._settings.quotas)
            await merge.stage(reading.iterate_chunks())
            if reading.is_refused:
                raise ImportFailed(f"a record was rejected: {reading.report.first_rejection}")
            outcomes = await merge.settle()
            added_bytes = await merge.save(outcomes)
            report = reading.report.finish(outcomes)
            await merge.count_usage(report.created, added_bytes)
        return report

    async def _compare(self, stored: StoredExport, tenant_id: UUID) -> str | None:
        """Export what was restored, and compare it byte for byte, or by digest with parts."""
        content = stored.read_content()
        comparison = None if content is None else Comparison(content)
        async with Reader(self._database).start(tenant_id, stored.request) as (rows, _snapshot):
            async for chunk in rows:
                if comparison is not None:
                    comparison.feed(chunk)
        if comparison is not None and (difference := comparison.finish()) is not None:
            return difference
        return None if rows.sha256 == stored.export.sha256 else "the SHA-256 differs"


def _find_loss(export: Export, report: ImportReport) -> str | None:
    if report.created == export.row_count:
        return None
    return f"the export had {export.row_count:,} memories, and {report.created:,} were restored"
