"""`memferry migrate`: bring the database's schema up to date."""

import typer

from memferry.cli.options import DataDir, read_settings
from memferry.settings import Settings

app = typer.Typer()


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database's schema up to date; safe to run at any time, also twice at once."""
    from memferry.cli.context import run

    applied = run(_migrate(read_settings(data_dir)))
    print("\n".join(applied) if applied else "nothing to do: the schema is up to date")


async def _migrate(settings: Settings) -> list[str]:
    from memferry.cli.context import start_database
    from memferry.database.servers import prepare_database

    async with start_database(settings):
        return await prepare_database(settings.database)
