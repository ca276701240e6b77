"""`memferry database url`: an address that psql takes."""

import typer

from memferry.cli.options import DataDir, read_settings

app = typer.Typer(name="database", help="The database behind the service.", no_args_is_help=True)


@app.callback()
def database() -> None:
    """The database behind the service."""


@app.command()
def url(data_dir: DataDir = None) -> None:
    """Print the database's address: psql "$(memferry database url)"."""
    from memferry.database.servers import owner_url

    print(owner_url(read_settings(data_dir).database))
