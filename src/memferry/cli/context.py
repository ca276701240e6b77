"""What several commands share: settings from the environment, and a database that runs."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import uvloop

from memferry.database.servers import make_embedded_postgres, owner_url, prepare_database
from memferry.errors import Misconfigured
from memferry.settings import Settings

_T = TypeVar("_T")

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Data directory (MEMFERRY_DATA_DIR).")
]


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run the asynchronous part of a command."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def settings_with(data_dir: Path | None = None) -> Settings:
    """The settings; an option given on the command line wins."""
    return Settings.from_environment(data_dir=data_dir.absolute() if data_dir else None)


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


def shown_time(epoch_ms: int | None) -> str:
    """A time as a table shows it; none is an empty cell."""
    if epoch_ms is None:
        return ""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(" ", "seconds")
