"""The surroundings of operator commands: an event loop, and a running database.

Importing this loads the parts of the service; a command does so when it runs.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import uvloop

from memferry.database.servers import make_embedded_postgres, owner_url, prepare_database
from memferry.errors import Misconfigured
from memferry.settings import Settings
from memferry.tenants.operator import Operator

_T = TypeVar("_T")


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run the asynchronous part of a command."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def call_operator(settings: Settings, call: Callable[[Operator], Awaitable[_T]]) -> _T:
    """Call the operator's service on a database that exists; raises Misconfigured if none does."""

    async def call_with_url() -> _T:
        async with require_database(settings) as url:
            return await call(Operator(url))

    return run(call_with_url())


@asynccontextmanager
async def start_database(settings: Settings) -> AsyncIterator[str]:
    """Start the embedded server for the length of the command, unless it runs already.

    Yields the address of the database's owner; an external server runs by itself.
    """
    if settings.database.url is not None:
        yield settings.database.url
        return
    embedded = make_embedded_postgres(settings.database)
    attached = await asyncio.to_thread(embedded.attach)
    if not attached:
        await asyncio.to_thread(embedded.start)
    try:
        yield owner_url(settings.database)
    finally:
        if not attached:
            await asyncio.to_thread(embedded.stop)


@asynccontextmanager
async def require_database(settings: Settings) -> AsyncIterator[str]:
    """Like `migrate_database`; raises Misconfigured, and makes nothing, where there is none."""
    if settings.database.url is None and not make_embedded_postgres(settings.database).exists():
        raise Misconfigured(
            f"there is no database in {settings.data_dir} yet; make it with: memferry serve "
            "(or name another place with --data-dir or MEMFERRY_DATA_DIR)"
        )
    async with migrate_database(settings) as url:
        yield url


@asynccontextmanager
async def migrate_database(settings: Settings) -> AsyncIterator[str]:
    """Like `start_database`, and bring the schema up to date."""
    async with start_database(settings) as url:
        await prepare_database(settings.database)
        yield url
