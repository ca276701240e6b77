"""`memferry store adopt`: another object store is the database's from now on."""

import typer

from memferry.cli.options import DataDir, read_settings
from memferry.settings import Settings

app = typer.Typer(name="store", help="The object store behind the service.", no_args_is_help=True)


@app.callback()
def store() -> None:
    """The object store behind the service."""


@app.command()
def adopt(data_dir: DataDir = None) -> None:
    """Make the store of these settings the database's from now on.

    After a store was lost, or the database was moved here without its files: exports whose files
    the store does not hold have no download link any more, and expire in their time.
    """
    from memferry.cli.context import run

    print(run(_adopt(read_settings(data_dir))))


async def _adopt(settings: Settings) -> str:
    from memferry.app import open_store
    from memferry.cli.context import require_database
    from memferry.database.sessions import owner_connection

    async with (
        require_database(settings) as url,
        open_store(settings) as (store, identity),
        owner_connection(url) as owner,
    ):
        await store.prepare()
        return await identity.adopt(owner)
