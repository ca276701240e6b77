"""`memferry tenant list|delete`."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from memferry.cli.console import make_console, show_name
from memferry.cli.options import DataDir, read_settings
from memferry.cli.times import show_time
from memferry.errors import Invalid
from memferry.settings import Settings

if TYPE_CHECKING:
    from memferry.tenants.deletion import Removed

app = typer.Typer(name="tenant", help="Tenants: who has memories here.", no_args_is_help=True)


@app.command("list")
def list_tenants(data_dir: DataDir = None) -> None:
    """List all tenants; one that is being deleted says since when."""
    from memferry.cli.context import call_operator

    tenants = call_operator(read_settings(data_dir), lambda operator: operator.list_tenants())
    table = Table("id", "name", "created", "tokens", "exports", "leaving", box=None)
    for row in tenants:
        table.add_row(
            str(row["id"]),
            show_name(row["name"]),
            show_time(row["created_at"]),
            str(row["tokens"]),
            str(row["exports"]),
            show_time(row["leaving_at"]),
        )
    make_console().print(table)


@app.command()
def delete(
    name: Annotated[str, typer.Argument(help="The tenant's name (see: tenant list).")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Really delete it; there is no way back.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Delete a tenant with all it has, rows and files; killed, it goes on when run again."""
    from memferry.cli.context import run

    if not yes:
        raise Invalid("--yes", "needed, since nothing brings a deleted tenant back")
    removed = run(_delete(read_settings(data_dir), name))
    print(f"removed {name}: {removed.rows} rows and {removed.files} files")


async def _delete(settings: Settings, name: str) -> "Removed":
    from memferry.cli.context import require_database
    from memferry.storage import open_storage
    from memferry.tenants.deletion import TenantDeletion

    async with require_database(settings) as url:
        store = open_storage(settings.storage)
        try:
            return await TenantDeletion(url, store).delete(name)
        finally:
            await store.close()
