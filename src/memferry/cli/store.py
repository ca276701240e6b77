"""`memferry store adopt`: another object store is the database's from now on."""

import typer

from memferry.app import open_store
from memferry.cli.context import DataDir, existing_database, run, settings_with
from memferry.database.sessions import owner_connection
from memferry.settings import Settings

app = typer.Typer(help="The object store behind the service.", no_args_is_help=True)


@app.callback()
def store() -> None:
    """The object store behind the service."""


@app.command()
def adopt(data_dir: DataDir = None) -> None:
    """Say that the store of these settings is the database's from now on.

    After a store was lost, or the database was brought here without its files: exports whose files
    the store does not hold have no download link any more, and expire in their time.
    """
    print(run(_adopt(settings_with(data_dir))))


async def _adopt(settings: Settings) -> str:
    async with (
        existing_database(settings) as url,
        open_store(settings) as (store, identity),
        owner_connection(url) as owner,
    ):
        await store.prepare()
        return await identity.adopt(owner)
