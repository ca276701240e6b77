"""What commands of an operator run in: an event loop, and a database that runs.

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

    async def call_it() -> _T:
        async with existing_database(settings) as url:
            return await call(Operator(url))

    return run(call_it())


@asynccontextmanager
async def running_database(settings: Settings) -> AsyncIterator[str]:
    """The owner's address of a database that runs.

    The embedded server is started for the length of the command, unless it runs already.
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
async def existing_database(settings: Settings) -> AsyncIterator[str]:
    """Like `prepared_database`, for a command that needs what is there already.

    Raises Misconfigured, and makes nothing, where there is no database yet.
    """
    if settings.database.url is None and not make_embedded_postgres(settings.database).exists():
        raise Misconfigured(
            f"there is no database in {settings.data_dir} yet; make it with: memferry serve "
            "(or name another place with --data-dir or MEMFERRY_DATA_DIR)"
        )
    async with prepared_database(settings) as url:
        yield url


@asynccontextmanager
async def prepared_database(settings: Settings) -> AsyncIterator[str]:
    """The owner's address of a database that runs and has the current schema."""
    async with running_database(settings) as url:
        await prepare_database(settings.database)
        yield url
