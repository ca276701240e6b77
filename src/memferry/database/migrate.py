"""Bring a database to the schema this version needs: migrations forward only, then its views."""

import asyncio
import hashlib
import secrets
from collections.abc import Collection, Sequence
from importlib import resources

import asyncpg

from memferry.database.pool import Connection
from memferry.database.sessions import owner_connection
from memferry.database.sql import sql
from memferry.errors import DatabaseUnavailable, Misconfigured
from memferry.telemetry import log_event, log_span

_OLDEST, _NEWEST = 15, 18
# One migration at a time in one database; the number is arbitrary and ours.
_LOCK = 0x6D656D66
_NO_SCHEMA = "the database has no schema of memferry yet; run: memferry migrate, or memferry serve"
# Statements queue behind a lock that is waited for, so it is waited for shortly, again and again.
_BEGIN = """
SET LOCAL lock_timeout = '1s';
DROP SCHEMA IF EXISTS memferry_service CASCADE;
"""
_PAUSE_SECONDS = 1.0
# Made once per database: what seals download links, and what signs manifests (any 32 bytes are a
# private key of Ed25519: RFC 8032, section 5.1.5).
_SECRET_KEYS = ("links", "manifests")


def list_migrations() -> dict[str, str]:
    """All migrations of this version, name to SQL, in order."""
    folder = resources.files("memferry.database.schema")
    names = sorted(file.name for file in folder.iterdir() if file.name[:4].isdigit())
    return {name.removesuffix(".sql"): folder.joinpath(name).read_text("utf-8") for name in names}


def read_views() -> str:
    """The SQL that makes all views, functions and rights of the service role."""
    return resources.files("memferry.database.schema").joinpath("views.sql").read_text("utf-8")


async def migrate(url: str) -> list[str]:
    """Apply what is missing, as the owner; answers the names applied now.

    All of it is one transaction, so processes of an older version see the schema before it or the
    schema after it. While one of them reads in a long transaction, the migration waits and lets
    the others pass. Safe to run from several processes at once, and again after a kill.
    Raises Misconfigured for a server that is too old or a schema that is newer than this program.
    """
    try:
        async with owner_connection(url) as connection:
            return await _bring_up_to_date(connection)
    except asyncpg.InsufficientPrivilegeError as fault:
        raise Misconfigured(
            f"the database role may not set up memferry: {fault}. It needs to own the database "
            "and to have CREATEROLE."
        ) from fault


async def _bring_up_to_date(connection: Connection) -> list[str]:
    _check_server(connection)
    await _take_lock(connection)
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS public.memferry_migrations ("
        "name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    names = {row["name"] for row in await connection.fetch(sql("database/list_migrations"))}
    if unknown := find_unknown(names):
        raise Misconfigured(
            f"the database has migrations this version does not know: {', '.join(unknown)}; "
            "run the newer memferry"
        )
    missing = find_missing(names)
    if not missing and await has_current_views(connection):
        return []
    await _apply_when_free(connection, missing)
    return [*missing, "views"]


def _check_server(connection: Connection) -> None:
    major = connection.get_server_version().major
    if not _OLDEST <= major <= _NEWEST:
        raise Misconfigured(f"PostgreSQL {major} is not supported; use {_OLDEST} to {_NEWEST}")


async def _take_lock(connection: Connection) -> None:
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
        log_event("migration.awaited")
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)


async def _apply_when_free(connection: Connection, missing: Sequence[str]) -> None:
    logged = False
    while True:
        try:
            async with connection.transaction():
                await _apply(connection, missing)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            if not logged:
                log_event("migration.blocked")
                logged = True
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return


async def _apply(connection: Connection, missing: Sequence[str]) -> None:
    """Without the views, tables can change in any way; so these go first and are made last."""
    known = list_migrations()
    await connection.execute(_BEGIN)
    for name in missing:
        with log_span("migration.applied", migration=name):
            await connection.execute(known[name])
        await connection.execute("INSERT INTO public.memferry_migrations (name) VALUES ($1)", name)
    await connection.execute(read_views())
    await connection.execute(
        f"COMMENT ON SCHEMA memferry_service IS '{_describe_views(connection)}'"
    )
    for name in _SECRET_KEYS:
        await connection.execute(
            "INSERT INTO memferry.keys (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            name,
            secrets.token_bytes(32),
        )


def find_missing(applied: Collection[str]) -> list[str]:
    """The migrations of this version that are not among those."""
    return [name for name in list_migrations() if name not in applied]


def find_unknown(applied: Collection[str]) -> list[str]:
    """Those that are no migrations of this version."""
    return sorted(set(applied) - list_migrations().keys())


async def has_current_views(connection: Connection) -> bool:
    """Whether the views were made from the text that this version has, on this PostgreSQL."""
    described: str | None = await connection.fetchval(sql("database/describe_views"))
    return described == _describe_views(connection)


def _describe_views(connection: Connection) -> str:
    """What the schema says of itself. The text makes functions that differ between servers."""
    digest = hashlib.sha256(read_views().encode()).hexdigest()
    return f"views.sql {digest} on PostgreSQL {connection.get_server_version().major}"


async def find_schema_fault(url: str) -> str | None:
    """Why a process of this version cannot work on the database yet; None if it can.

    Any role that may log in can ask. Raises DatabaseUnavailable.
    """
    try:
        async with owner_connection(url) as connection:
            rows = await connection.fetch(sql("database/list_migrations"))
    except asyncpg.UndefinedTableError:
        return _NO_SCHEMA
    except DatabaseUnavailable as fault:
        # The first migration of an embedded server makes the role.
        if type(fault.__cause__) is asyncpg.InvalidAuthorizationSpecificationError:
            return _NO_SCHEMA
        raise
    names = {row["name"] for row in rows}
    if missing := find_missing(names):
        return f"the schema lacks {', '.join(missing)}; run: memferry migrate"
    if unknown := find_unknown(names):
        return f"the schema has {', '.join(unknown)}, unknown to this version; run a newer one"
    return None


async def allow_login(url: str) -> None:
    """Let the service role connect by itself: only where a private socket guards the server."""
    async with owner_connection(url) as connection:
        await connection.execute("ALTER ROLE memferry_service LOGIN")
