"""`memferry doctor`: what runs, which versions, what is wrong and how to mend it."""

import asyncio
import platform
import sys
from collections.abc import Awaitable, Callable
from importlib.metadata import version

import asyncpg
import httpx
import typer
from rich.console import Console

from memferry.app import embedded_postgres, owner_url, storage
from memferry.cli.context import DataDir, run, settings_with
from memferry.database.migrate import migrations
from memferry.database.sql import sql
from memferry.errors import MemferryError
from memferry.settings import Settings

_CONNECT_SECONDS = 5


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
    store = storage(settings)
    try:
        await store.ping()
    finally:
        await store.close()
    return settings.storage_url or f"{settings.data_dir / 'exports'}"


async def _service(settings: Settings) -> str:
    try:
        async with httpx.AsyncClient(timeout=_CONNECT_SECONDS) as client:
            answer = await client.get(f"{settings.url}/api/health")
    except httpx.TransportError as fault:
        raise MemferryError(
            f"{settings.url} does not answer; start it with: memferry serve (or set MEMFERRY_URL)"
        ) from fault
    if answer.status_code != httpx.codes.OK:
        raise MemferryError(f"{settings.url} answered {answer.status_code}")
    return f"{settings.url} answers"
