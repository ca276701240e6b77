"""`memferry doctor`: what runs, which versions, what is wrong and how to mend it."""

import asyncio
import platform
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal

import asyncpg
import httpx
import typer
from rich.console import Console

from memferry.app import embedded_postgres, opened_store, owner_url
from memferry.cli.context import DataDir, run, settings_with
from memferry.database.migrate import find_missing, find_unknown, has_current_views
from memferry.database.pool import SERVICE_ROLE, Connection
from memferry.database.sql import sql
from memferry.database.standby import WAIT_SECONDS, Position, wait_for_replay
from memferry.errors import DatabaseUnavailable, MemferryError
from memferry.operation.readiness import describe_workers, fingerprint
from memferry.operation.workers import describe_worker, does_work, is_silent
from memferry.settings import Settings

_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 20
_COLORS = {"ok": "green", "note": "yellow", "wrong": "red"}


@dataclass(frozen=True)
class Finding:
    """One line: what was seen, and whether somebody has to do something."""

    mark: Literal["ok", "note", "wrong"]
    text: str


Check = Callable[[Settings], AsyncIterator[Finding]]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def doctor(data_dir: DataDir = None) -> None:
        """Look at every part, change nothing; ends with status 1 if something is wrong."""
        settings = settings_with(data_dir)
        console = Console(highlight=False, markup=False, soft_wrap=True)
        console.print(f"memferry {version('memferry')}, Python {platform.python_version()}")
        checks: dict[str, Check] = {
            "database": _check_database,
            "schema": _check_schema,
            "snapshots": _check_snapshots,
            "log": _check_database_log,
            "standby": _check_standby,
            "object store": _check_store,
            "worker": _check_workers,
            "service": _check_service,
        }
        healthy = [run(_report(console, name, check, settings)) for name, check in checks.items()]
        sys.exit(0 if all(healthy) else 1)


async def _report(console: Console, name: str, check: Check, settings: Settings) -> bool:
    """Print what a check finds; whether nothing is wrong."""
    healthy = True
    async for finding in _find(check, settings):
        console.print(f"{finding.mark:<6}", style=_COLORS[finding.mark], end=" ")
        console.print(f"{name}: {finding.text}")
        healthy = healthy and finding.mark != "wrong"
    return healthy


async def _find(check: Check, settings: Settings) -> AsyncIterator[Finding]:
    try:
        async for finding in check(settings):
            yield finding
    except (MemferryError, OSError, asyncpg.PostgresError, TimeoutError) as fault:
        yield Finding("wrong", str(fault) or type(fault).__name__)


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[Connection]:
    """The owner's connection, on which the views of the service have their own names."""
    if settings.database_url is None:
        attached = await asyncio.to_thread(embedded_postgres(settings).attach)
        if not attached:
            raise MemferryError(
                f"the embedded PostgreSQL in {settings.data_dir} does not run; start it with: "
                "memferry serve"
            )
    async with _connected_to(owner_url(settings)) as connection:
        yield connection


@asynccontextmanager
async def _connected_to(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(
        url,
        timeout=_CONNECT_SECONDS,
        command_timeout=_ANSWER_SECONDS,
        server_settings={"search_path": SERVICE_ROLE},
    )
    try:
        yield connection
    finally:
        await connection.close(timeout=_CONNECT_SECONDS)


async def _check_database(settings: Settings) -> AsyncIterator[Finding]:
    async with _connected(settings) as connection:
        kind = "external" if settings.database_url else f"embedded in {settings.data_dir}"
        server = await connection.fetchval("SHOW server_version")
        identity = await _read_identity(connection)
    yield Finding("ok", f"PostgreSQL {server}, {kind}, identity {identity or 'not made yet'}")


async def _read_identity(connection: Connection) -> str | None:
    """What the service shows of the identity of its database; None before the first migration."""
    try:
        word: bytes | None = await connection.fetchval(sql("database/get_key"), "database")
    except asyncpg.UndefinedTableError:
        return None
    return None if word is None else fingerprint(word)


async def _check_schema(settings: Settings) -> AsyncIterator[Finding]:
    async with _connected(settings) as connection:
        try:
            applied = {
                row["name"] for row in await connection.fetch(sql("database/list_migrations"))
            }
            current_views = await has_current_views(connection)
        except asyncpg.UndefinedTableError:
            applied, current_views = set(), False
    if missing := find_missing(applied):
        raise MemferryError(f"{', '.join(missing)} not applied; run: memferry migrate")
    if newer := find_unknown(applied):
        raise MemferryError(f"{', '.join(newer)} unknown to this version; run a newer memferry")
    if not current_views:
        raise MemferryError("the views are of another version; run: memferry migrate")
    yield Finding("ok", f"up to date ({len(applied)} migrations)")


async def _check_snapshots(settings: Settings) -> AsyncIterator[Finding]:
    """How long the oldest snapshot of an export has kept vacuum waiting."""
    async with _connected(settings) as connection:
        yield await _find_oldest_snapshot(connection, settings)


async def _find_oldest_snapshot(connection: Connection, settings: Settings) -> Finding:
    held: float | None = await connection.fetchval(sql("cli/find_oldest_snapshot"))
    if held is None:
        return Finding("ok", "no export is being read")
    if held > settings.snapshot_seconds:
        raise MemferryError(
            f"an export has held its snapshot for {held:.0f} s, and vacuum with it; "
            "look at the store's speed, or end it with DELETE /api/memories/exports/{id}"
        )
    limit = settings.snapshot_seconds
    return Finding("ok", f"the oldest of an export is {held:.0f} s old (limit {limit} s)")


async def _check_standby(settings: Settings) -> AsyncIterator[Finding]:
    """Whether workers read exports from the standby, and what may end those that they read."""
    if settings.export_database_url is None:
        return
    async with (
        _connected(settings) as primary,
        _connected_to(settings.export_database_url) as standby,
    ):
        theirs, ours = await _read_cluster(standby), await _read_cluster(primary)
        if None not in (theirs, ours) and theirs != ours:
            raise MemferryError(
                f"it belongs to another cluster ({theirs}) than the database ({ours}); name a "
                "standby of the database in MEMFERRY_EXPORT_DATABASE_URL"
            )
        yield await _find_lag(primary, standby)
        if await standby.fetchval("SHOW hot_standby_feedback") == "off":
            yield Finding(
                "note",
                "hot_standby_feedback is off: vacuum on the primary may end an export here, which "
                "is then read from the primary",
            )
        yield await _find_oldest_snapshot(standby, settings)


async def _read_cluster(connection: Connection) -> int | None:
    """The identifier of a cluster; None if the role may not ask for it."""
    try:
        identifier: int = await connection.fetchval(sql("cli/read_cluster"))
    except asyncpg.InsufficientPrivilegeError:
        return None
    return identifier


async def _find_lag(primary: Connection, standby: Connection) -> Finding:
    """How long the standby takes to replay what the primary has now."""
    clock = asyncio.get_running_loop().time
    position, began = await Position.read(primary), clock()
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await wait_for_replay(position, standby)
    except TimeoutError:
        lag = await standby.fetchrow(sql("cli/measure_lag"), position.lsn)
        return Finding("wrong", _describe_lag(lag))
    server = await standby.fetchval("SHOW server_version")
    return Finding("ok", f"PostgreSQL {server}, behind the primary by {clock() - began:.1f} s")


def _describe_lag(lag: Any) -> str:
    text = f"{lag['bytes']:,} bytes behind the primary after {WAIT_SECONDS} s of waiting"
    if lag["seconds"] is not None:
        text += f", last commit replayed {lag['seconds']:.0f} s ago"
    if lag["paused"]:
        text += ", replay is paused"
    return f"{text}; exports are read from the primary"


async def _check_database_log(settings: Settings) -> AsyncIterator[Finding]:
    """PostgreSQL's own log repeats no statement of the service, and so no filter of a tenant."""
    async with _connected(settings) as connection:
        settings_found = await connection.fetch(sql("cli/find_talkative_settings"))
    if not settings_found:
        yield Finding("ok", "PostgreSQL's log repeats no statement")
        return
    faults = ", ".join(row["fault"] for row in settings_found)
    remedies = "; ".join(row["remedy"] for row in settings_found)
    yield Finding(
        "note",
        f"PostgreSQL's log may repeat statements, and in them the words of filters: {faults}; "
        f"a superuser mends it with: {remedies}",
    )


async def _check_store(settings: Settings) -> AsyncIterator[Finding]:
    """The store can be used, and is the one that the database knows."""
    place = settings.storage_url or str(settings.data_dir / "exports")
    async with opened_store(settings) as (store, identity):
        await store.ping()
        try:
            word = await identity.read_database()
            if word is not None:
                await identity.check()
        except (DatabaseUnavailable, asyncpg.PostgresError):
            # The lines of the database and the schema say so.
            yield Finding("note", f"{place} can be used; whose it is, only the database knows")
            return
    if word is None:
        yield Finding("note", f"{place} can be used; no service has begun to use one yet")
    else:
        yield Finding("ok", f"{place}, identity {word}")


async def _check_workers(settings: Settings) -> AsyncIterator[Finding]:
    """Every worker by its machine and process, and how it stands with its store."""
    async with _connected(settings) as connection:
        try:
            workers = [dict(row) for row in await connection.fetch(sql("operation/list_workers"))]
            counts = await connection.fetch(sql("cli/count_exports_at_work"))
        except asyncpg.UndefinedTableError:
            workers, counts = [], []
    in_hand = {row["leased_by"]: row["exports"] for row in counts}
    fault = describe_workers(workers)
    for worker in workers:
        text = f"{describe_worker(worker)}, {in_hand.get(worker['id'], 0)} exports in hand"
        if does_work(worker):
            yield Finding("ok", text)
        else:
            # One that was killed stays on the list; that is no fault while another does the work.
            yield Finding("note" if is_silent(worker) and fault is None else "wrong", text)
    if fault is not None:
        yield Finding("wrong", f"no worker does its work: {fault}; start one with: memferry worker")


async def _check_service(settings: Settings) -> AsyncIterator[Finding]:
    """The service answers, and works on the database that these settings name."""
    try:
        async with httpx.AsyncClient(timeout=_ANSWER_SECONDS) as client:
            answer = await client.get(f"{settings.url}/api/health/ready")
    except httpx.TransportError:
        yield _describe_absence(settings)
        return
    ready = _read_answer(answer)
    theirs = ready.get("database_id")
    if theirs is not None and theirs != await _find_identity(settings):
        raise MemferryError(
            f"{settings.url} works on another database (identity {theirs}) than these settings "
            "name (MEMFERRY_DATABASE_URL, MEMFERRY_DATA_DIR)"
        )
    if answer.status_code != httpx.codes.OK:
        raise MemferryError(f"{settings.url} is {ready.get('error', 'not ready')}")
    yield Finding("ok", f"{settings.url} is ready")


def _describe_absence(settings: Settings) -> Finding:
    if settings.url == Settings.url:
        # Nobody has said that there is one: this may be the machine of a worker alone.
        return Finding("note", f"none at {settings.url}; where it is, MEMFERRY_URL would tell")
    text = "does not answer; start it with: memferry serve (or set MEMFERRY_URL)"
    return Finding("wrong", f"{settings.url} {text}")


def _read_answer(answer: httpx.Response) -> dict[str, Any]:
    try:
        ready = answer.json()
    except ValueError:
        ready = None
    if not isinstance(ready, dict) or "ready" not in ready:
        raise MemferryError(f"{answer.url} answered {answer.status_code}: it is no memferry")
    return ready


async def _find_identity(settings: Settings) -> str | None:
    async with _connected(settings) as connection:
        return await _read_identity(connection)
