"""`memferry doctor`: what runs, which versions, what is wrong and how to mend it."""

import asyncio
import platform
import sys
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

import asyncpg
import httpx
import typer
from rich.console import Console

from memferry.app import embedded_postgres, owner_url, service_url, storage
from memferry.cli.context import DataDir, run, settings_with
from memferry.database.migrate import migrations
from memferry.database.pool import SERVICE_ROLE, Database
from memferry.database.sql import sql
from memferry.errors import DatabaseUnavailable, MemferryError
from memferry.operation.readiness import describe_workers, fingerprint
from memferry.operation.store_identity import StoreIdentity
from memferry.operation.workers import MISSING_SECONDS
from memferry.settings import Settings

_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 20


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def doctor(data_dir: DataDir = None) -> None:
        """Look at every part; ends with status 1 if something is wrong."""
        settings = settings_with(data_dir)
        console = Console(highlight=False, soft_wrap=True)
        console.print(f"memferry {version('memferry')}, Python {platform.python_version()}")
        checks: dict[str, Callable[[Settings], Awaitable[str]]] = {
            "database": _database,
            "schema": _schema,
            "snapshots": _snapshots,
            "object store": _storage,
            "service": _service,
        }
        healthy = [run(_report(console, name, check, settings)) for name, check in checks.items()]
        sys.exit(0 if all(healthy) else 1)


async def _report(
    console: Console, name: str, check: Callable[[Settings], Awaitable[str]], settings: Settings
) -> bool:
    try:
        console.print(f"[green]ok[/green]     {name}: {await check(settings)}")
    except (MemferryError, OSError, asyncpg.PostgresError, TimeoutError) as fault:
        console.print(f"[red]wrong[/red]  {name}: {fault or type(fault).__name__}")
        return False
    return True


async def _connect(settings: Settings) -> "asyncpg.Connection[asyncpg.Record]":
    if settings.database_url is None:
        attached = await asyncio.to_thread(embedded_postgres(settings).attach)
        if not attached:
            raise MemferryError(
                f"the embedded PostgreSQL in {settings.data_dir} does not run; start it with: "
                "memferry serve"
            )
    return await asyncpg.connect(owner_url(settings), timeout=_CONNECT_SECONDS)


async def _database(settings: Settings) -> str:
    connection = await _connect(settings)
    try:
        kind = "external" if settings.database_url else f"embedded in {settings.data_dir}"
        return f"PostgreSQL {await connection.fetchval('SHOW server_version')}, {kind}"
    finally:
        await connection.close()


async def _schema(settings: Settings) -> str:
    connection = await _connect(settings)
    try:
        rows = await connection.fetch("SELECT name FROM public.memferry_migrations")
    except asyncpg.UndefinedTableError:
        rows = []
    finally:
        await connection.close()
    missing = sorted(migrations().keys() - {row["name"] for row in rows})
    if missing:
        raise MemferryError(f"{', '.join(missing)} not applied; run: memferry migrate")
    return f"up to date ({len(rows)} migrations)"


async def _snapshots(settings: Settings) -> str:
    """How long the oldest snapshot of an export has kept vacuum waiting."""
    connection = await _connect(settings)
    try:
        held: float | None = await connection.fetchval(sql("find_oldest_snapshot"))
    finally:
        await connection.close()
    if held is None:
        return "no export is being read"
    if held > settings.snapshot_seconds:
        raise MemferryError(
            f"an export has held its snapshot for {held:.0f} s, and vacuum with it; "
            "look at the store's speed, or end it with DELETE /api/memories/exports/{id}"
        )
    return f"the oldest of an export is {held:.0f} s old (limit {settings.snapshot_seconds} s)"


async def _storage(settings: Settings) -> str:
    """The store can be used, and is the one that the database knows."""
    store = storage(settings)
    database = Database(service_url(settings), size=1)
    await database.open()
    try:
        await store.ping()
        identity = StoreIdentity(database, store)
        if await identity.read_database() is not None:
            await identity.check()
    except DatabaseUnavailable:
        # The line of the database says so.
        return f"{_place(settings)} can be used; whose it is, only the database knows"
    finally:
        await database.close()
        await store.close()
    return _place(settings)


def _place(settings: Settings) -> str:
    return settings.storage_url or f"{settings.data_dir / 'exports'}"


async def _service(settings: Settings) -> str:
    """The service answers, works on this database, and a worker does its work."""
    try:
        async with httpx.AsyncClient(timeout=_ANSWER_SECONDS) as client:
            answer = await client.get(f"{settings.url}/api/health/ready")
    except httpx.TransportError as fault:
        if settings.url == Settings.url:
            # Nobody has said that there is one: this may be the machine of a worker alone.
            return f"none at {settings.url} (MEMFERRY_URL); {await _workers(settings)}"
        raise MemferryError(
            f"{settings.url} does not answer; start it with: memferry serve (or set MEMFERRY_URL)"
        ) from fault
    ready = _ready_answer(answer)
    if (theirs := ready.get("database_id")) is not None and theirs != await _database_id(settings):
        raise MemferryError(
            f"{settings.url} works on another database than these settings name "
            "(MEMFERRY_DATABASE_URL, MEMFERRY_DATA_DIR)"
        )
    if answer.status_code != httpx.codes.OK:
        raise MemferryError(f"{settings.url} is {ready['error']}; {await _workers(settings)}")
    return f"{settings.url} is ready; {await _workers(settings)}"


def _ready_answer(answer: httpx.Response) -> dict[str, Any]:
    try:
        ready: dict[str, Any] = answer.json()
    except ValueError:
        ready = {}
    if "ready" not in ready:
        raise MemferryError(f"{answer.url} answered {answer.status_code}: it is no memferry")
    return ready


async def _database_id(settings: Settings) -> str | None:
    connection = await _connect(settings)
    try:
        word = await connection.fetchval("SELECT value FROM memferry.keys WHERE name = 'database'")
    finally:
        await connection.close()
    return None if word is None else fingerprint(word)


async def _workers(settings: Settings) -> str:
    """Every worker by its machine and process; raises MemferryError if none does its work."""
    connection = await _connect(settings)
    try:
        await connection.execute(f"SET search_path = {SERVICE_ROLE}")
        workers = await connection.fetch(sql("list_workers"))
    except asyncpg.UndefinedTableError:
        workers = []
    finally:
        await connection.close()
    shown = ", ".join(_describe(worker) for worker in workers) or "none"
    if (fault := describe_workers(workers)) is not None:
        raise MemferryError(f"worker: {fault} ({shown}); start one with: memferry worker")
    return f"workers: {shown}"


def _describe(worker: asyncpg.Record) -> str:
    state = worker["status"].replace("_", " ")
    if worker["silent_seconds"] > MISSING_SECONDS:
        state = f"halted or gone, silent for {worker['silent_seconds']:.0f} s"
    reason = "" if worker["reason"] is None else f": {worker['reason']}"
    return f"{worker['host']} process {worker['pid']} ({state}{reason})"
