"""`memferry database url`: an address that psql takes."""

import typer

from memferry.cli.context import DataDir, settings_with
from memferry.database.servers import owner_url

app = typer.Typer(help="The database behind the service.", no_args_is_help=True)


@app.callback()
def database() -> None:
    """The database behind the service."""


@app.command()
def url(data_dir: DataDir = None) -> None:
    """Print the database's address: psql "$(memferry database url)"."""
    print(owner_url(settings_with(data_dir).database))
