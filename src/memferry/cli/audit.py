"""`memferry audit`: what was noted, of all tenants or of one, for the operator."""

from typing import Annotated

import typer

from memferry.cli.context import DataDir, existing_database, run, settings_with
from memferry.model.audit import EVENTS
from memferry.settings import Settings
from memferry.tenants.admin import Admin


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def audit(
        tenant: Annotated[str | None, typer.Option(help="Only this tenant.")] = None,
        event: Annotated[str | None, typer.Option(help=f"One of {', '.join(EVENTS)}.")] = None,
        limit: Annotated[int, typer.Option(help="How many entries, at most.", min=1)] = 100,
        data_dir: DataDir = None,
    ) -> None:
        """Print who did what, newest first, as one JSON object per line."""
        for line in run(_entries(settings_with(data_dir), tenant, event, limit)):
            print(line)


async def _entries(
    settings: Settings, tenant: str | None, event: str | None, limit: int
) -> list[str]:
    async with existing_database(settings) as url:
        return await Admin(url).audit(limit, event, tenant)
