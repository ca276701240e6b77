"""`memferry token create|list|revoke`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from memferry.cli.context import DataDir, prepared_database, run, settings_with
from memferry.settings import Settings
from memferry.tenants.admin import Admin

app = typer.Typer(help="Tokens: who may speak for which tenant.", no_args_is_help=True)


@app.command()
def create(
    tenant: Annotated[str, typer.Option(help="The tenant; made if there is none by that name.")],
    name: Annotated[str, typer.Option(help="A label, to know the token by.")] = "",
    data_dir: DataDir = None,
) -> None:
    """Make a token and print it, alone, on standard output; it is shown only this once."""
    print(run(_create(settings_with(data_dir), tenant, name)))


@app.command("list")
def list_tokens(data_dir: DataDir = None) -> None:
    """List all tokens: their first characters, never the whole."""
    table = Table("id", "tenant", "name", "token", "created", "revoked", box=None)
    for row in run(_list(settings_with(data_dir))):
        table.add_row(
            str(row["id"]),
            row["tenant"],
            row["name"],
            f"{row['prefix']}…",
            _time(row["created_at"]),
            _time(row["revoked_at"]),
        )
    Console().print(table)


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(help="The token's id (see: token list), or the token.")],
    data_dir: DataDir = None,
) -> None:
    """Revoke a token; from the next request on it is unknown."""
    run(_revoke(settings_with(data_dir), token))


async def _create(settings: Settings, tenant: str, name: str) -> str:
    async with prepared_database(settings) as url:
        return (await Admin(url).create_token(tenant, name)).text


async def _list(settings: Settings) -> Sequence[Mapping[str, Any]]:
    async with prepared_database(settings) as url:
        return await Admin(url).tokens()


async def _revoke(settings: Settings, token: str) -> None:
    async with prepared_database(settings) as url:
        await Admin(url).revoke_token(token)


def _time(epoch_ms: int | None) -> str:
    if epoch_ms is None:
        return ""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(" ", "seconds")
