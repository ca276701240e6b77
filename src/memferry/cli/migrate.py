"""`memferry migrate`: bring the database's schema up to date."""

import typer

from memferry.cli.context import DataDir, run, running_database, settings_with
from memferry.database.servers import prepare_database
from memferry.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def migrate(data_dir: DataDir = None) -> None:
        """Bring the database's schema up to date; safe to run at any time, also twice at once."""
        applied = run(_migrate(settings_with(data_dir)))
        print("\n".join(applied) if applied else "nothing to do: the schema is up to date")


async def _migrate(settings: Settings) -> list[str]:
    async with running_database(settings):
        return await prepare_database(settings.database)
