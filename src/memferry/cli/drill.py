"""`memferry drill`: whether the backup is real."""

import time
from typing import Annotated

import typer

from memferry.cli.options import DataDir, read_settings
from memferry.cli.output import print_line
from memferry.settings import Settings

app = typer.Typer()


@app.command()
def drill(
    export_id: Annotated[
        str | None, typer.Option("--export", help="This export; unless given, the newest one.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="The newest export of this tenant; unless given, of all.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Restore the newest export into a throw-away tenant, compare everything, and remove it.

    Exits with 1 unless every byte came back.
    """
    from memferry.cli.context import run

    started = time.monotonic()
    fault = run(_drill(read_settings(data_dir), tenant, export_id))
    if fault is not None:
        print_line(f"not restored: {fault}")
        raise typer.Exit(1)
    print_line(f"the backup is real: every byte came back, in {time.monotonic() - started:.1f} s")


async def _drill(settings: Settings, tenant: str | None, export_id: str | None) -> str | None:
    from memferry.app import open_long_database
    from memferry.cli.context import require_database
    from memferry.drill.service import Drill
    from memferry.storage import open_storage

    seconds = settings.worker.import_seconds
    async with (
        require_database(settings) as url,
        open_long_database(settings, long_running_seconds=seconds, program="memferry") as database,
    ):
        storage = open_storage(settings.storage)
        try:
            return await Drill(database, storage, url, settings).run(tenant, export_id, print_line)
        finally:
            await storage.close()
