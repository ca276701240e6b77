"""`memferry tenant list|delete`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from memferry.cli.context import DataDir, existing_database, run, settings_with, shown_time
from memferry.erasure.tenants import Removed, TenantErasure
from memferry.errors import Invalid
from memferry.settings import Settings
from memferry.storage import Storage, open_storage

app = typer.Typer(help="Tenants: who has memories here.", no_args_is_help=True)


@app.command("list")
def list_tenants(data_dir: DataDir = None) -> None:
    """List all tenants; one that is being deleted says since when."""
    table = Table("id", "name", "created", "tokens", "exports", "leaving", box=None)
    for row in run(_list(settings_with(data_dir))):
        table.add_row(
            str(row["id"]),
            row["name"],
            shown_time(row["created_at"]),
            str(row["tokens"]),
            str(row["exports"]),
            shown_time(row["leaving_at"]),
        )
    Console().print(table)


@app.command()
def delete(
    name: Annotated[str, typer.Argument(help="The tenant's name (see: tenant list).")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Really delete it; there is no way back.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Delete a tenant with all it has, rows and files; killed, it goes on when run again."""
    if not yes:
        raise Invalid("--yes", "needed, since nothing brings a deleted tenant back")
    removed = run(_delete(settings_with(data_dir), name))
    print(f"removed {name}: {removed.rows} rows and {removed.files} files")


async def _list(settings: Settings) -> Sequence[Mapping[str, Any]]:
    async with existing_database(settings) as url, _open_store(settings) as store:
        return await TenantErasure(url, store).all()


async def _delete(settings: Settings, name: str) -> Removed:
    async with existing_database(settings) as url, _open_store(settings) as store:
        return await TenantErasure(url, store).delete(name)


@asynccontextmanager
async def _open_store(settings: Settings) -> AsyncIterator[Storage]:
    store = open_storage(settings.storage)
    try:
        yield store
    finally:
        await store.close()
