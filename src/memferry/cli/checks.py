"""The checks of `memferry doctor`, for the service that the settings describe."""

from collections.abc import AsyncIterator, Mapping

from memferry.app import embedded_postgres, opened_store, owner_url
from memferry.client.readiness import read_readiness
from memferry.errors import MemferryError, ServiceUnreachable
from memferry.operation.access import DatabaseAccess
from memferry.operation.checkup import Checkup
from memferry.operation.findings import Check, Finding
from memferry.operation.standby_checkup import StandbyCheckup
from memferry.operation.store_checkup import check_store
from memferry.settings import Settings


def list_checks(settings: Settings) -> Mapping[str, Check]:
    """Every check by the name of its part, in the order in which one part needs another."""
    access = _describe_access(settings)
    standby_url, snapshot_seconds = settings.export_database_url, settings.snapshot_seconds
    database = Checkup(access, snapshot_seconds)
    standby = StandbyCheckup(
        access, DatabaseAccess(standby_url) if standby_url else None, snapshot_seconds
    )
    return {
        "database": database.check_database,
        "schema": database.check_schema,
        "snapshots": database.check_snapshots,
        "log": database.check_log,
        "standby": standby.check_standby,
        "object store": lambda: _check_store(settings),
        "worker": database.check_workers,
        "service": lambda: _check_service(settings, database),
    }


def _describe_access(settings: Settings) -> DatabaseAccess:
    if settings.database_url is not None:
        return DatabaseAccess(settings.database_url)
    return DatabaseAccess(owner_url(settings), embedded_postgres(settings), settings.data_dir)


async def _check_store(settings: Settings) -> AsyncIterator[Finding]:
    place = settings.storage_url or str(settings.data_dir / "exports")
    async with opened_store(settings) as (store, identity):
        async for finding in check_store(place, store, identity):
            yield finding


async def _check_service(settings: Settings, database: Checkup) -> AsyncIterator[Finding]:
    """Whether the service answers, and works on the database that these settings name."""
    try:
        readiness = read_readiness(settings.url)
    except ServiceUnreachable:
        yield _describe_absence(settings)
        return
    theirs = readiness.database_id
    if theirs is not None and theirs != await database.read_identity():
        raise MemferryError(
            f"{settings.url} works on another database (identity {theirs}) than these settings "
            "name (MEMFERRY_DATABASE_URL, MEMFERRY_DATA_DIR)"
        )
    if not readiness.ready:
        raise MemferryError(f"{settings.url} is {readiness.error or 'not ready'}")
    yield Finding("ok", f"{settings.url} is ready")


def _describe_absence(settings: Settings) -> Finding:
    if settings.url == Settings.url:
        # Nobody named a service: this may be the machine of a worker alone.
        return Finding("note", f"none at {settings.url}; where it is, MEMFERRY_URL would tell")
    text = "does not answer; start it with: memferry serve (or set MEMFERRY_URL)"
    return Finding("wrong", f"{settings.url} {text}")
