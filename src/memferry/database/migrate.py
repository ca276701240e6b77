"""Bring a database to the schema this version needs: forward only, each step in one transaction."""

import secrets
from collections.abc import Collection
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


def migrations() -> dict[str, str]:
    """All migrations of this version, name to SQL, in order."""
    folder = resources.files("memferry.database.migrations")
    files = sorted(each.name for each in folder.iterdir() if each.name.endswith(".sql"))
    return {name.removesuffix(".sql"): folder.joinpath(name).read_text("utf-8") for name in files}


async def migrate(url: str) -> list[str]:
    """Apply what is missing, as the owner; answers the names applied now.

    Safe to run from several processes at once, and again after being killed at any point.
    Raises Misconfigured for a server that is too old or a schema that is newer than this program.
    """
    try:
        async with owner_connection(url) as connection:
            return await _apply(connection)
    except asyncpg.InsufficientPrivilegeError as fault:
        raise Misconfigured(
            f"the database role may not set up memferry: {fault}. It needs to own the database "
            "and to have CREATEROLE."
        ) from fault


async def _apply(connection: Connection) -> list[str]:
    major = connection.get_server_version().major
    if not _OLDEST <= major <= _NEWEST:
        raise Misconfigured(f"PostgreSQL {major} is not supported; use {_OLDEST} to {_NEWEST}")
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
        log_event("migration.awaited")
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS public.memferry_migrations ("
        "name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    rows = await connection.fetch(sql("database/list_migrations"))
    done, known = {row["name"] for row in rows}, migrations()
    if unknown := sorted(done - known.keys()):
        raise Misconfigured(
            f"the database has migrations this version does not know: {', '.join(unknown)}; "
            "run the newer memferry"
        )
    missing = find_missing(done)
    for name in missing:
        with log_span("migration.applied", migration=name):
            await _apply_one(connection, name, known[name])
    return missing


async def _apply_one(connection: Connection, name: str, text: str) -> None:
    async with connection.transaction():
        await connection.execute(text)
        await connection.execute("INSERT INTO public.memferry_migrations (name) VALUES ($1)", name)
        await connection.execute(
            "INSERT INTO memferry.keys (name, value) VALUES ('links', $1) ON CONFLICT DO NOTHING",
            secrets.token_bytes(32),
        )


def find_missing(applied: Collection[str]) -> list[str]:
    """The migrations of this version that are not among those."""
    return [name for name in migrations() if name not in applied]


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
    if unknown := sorted(names - migrations().keys()):
        return f"the schema has {', '.join(unknown)}, unknown to this version; run a newer one"
    return None


async def allow_login(url: str) -> None:
    """Let the service role connect by itself: only where a private socket guards the server."""
    async with owner_connection(url) as connection:
        await connection.execute("ALTER ROLE memferry_service LOGIN")
