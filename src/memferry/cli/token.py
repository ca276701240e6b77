"""`memferry token create|list|revoke`."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from memferry.cli.context import (
    DataDir,
    existing_database,
    prepared_database,
    run,
    settings_with,
    shown_time,
)
from memferry.cli.export import epoch_ms
from memferry.model.token import SCOPES, USUAL_SCOPES, Grant
from memferry.settings import Settings
from memferry.tenants.admin import Admin

app = typer.Typer(help="Tokens: who may speak for which tenant.", no_args_is_help=True)


@app.command()
def create(
    tenant: Annotated[str, typer.Option(help="The tenant; made if there is none by that name.")],
    name: Annotated[str, typer.Option(help="A label, to know the token by.")] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(help=f"What it may do: {', '.join(SCOPES)}; all but admin unless given."),
    ] = None,
    namespace: Annotated[
        list[str] | None, typer.Option(help="It can touch only this namespace; repeat for more.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="Until when it is good; epoch milliseconds or ISO 8601.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a token and print it, alone, on standard output; it is shown only this once."""
    scopes: Any = dict.fromkeys(scope or USUAL_SCOPES)
    grant = Grant(
        scopes=tuple(scopes),
        namespaces=tuple(dict.fromkeys(namespace)) if namespace else None,
        expires_at=epoch_ms("--expires", expires),
    )
    print(run(_create(settings_with(data_dir), tenant, name, grant)))


@app.command("list")
def list_tokens(data_dir: DataDir = None) -> None:
    """List all tokens: their first characters, never the whole."""
    columns = ("id", "tenant", "name", "token", "scopes", "namespaces", "created", "expires")
    table = Table(*columns, "revoked", box=None)
    for row in run(_list(settings_with(data_dir))):
        table.add_row(
            str(row["id"]),
            row["tenant"],
            row["name"],
            f"{row['prefix']}…",
            " ".join(row["scopes"]),
            "all" if row["namespaces"] is None else " ".join(row["namespaces"]),
            shown_time(row["created_at"]),
            shown_time(row["expires_at"]),
            shown_time(row["revoked_at"]),
        )
    Console().print(table)


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(help="The token's id (see: token list), or the token.")],
    data_dir: DataDir = None,
) -> None:
    """Revoke a token; from the next request on it is unknown, its unfinished exports end."""
    run(_revoke(settings_with(data_dir), token))


async def _create(settings: Settings, tenant: str, name: str, grant: Grant) -> str:
    async with prepared_database(settings) as url:
        return (await Admin(url).create_token(tenant, name, grant)).text


async def _list(settings: Settings) -> Sequence[Mapping[str, Any]]:
    async with existing_database(settings) as url:
        return await Admin(url).tokens()


async def _revoke(settings: Settings, token: str) -> None:
    async with existing_database(settings) as url:
        await Admin(url).revoke_token(token)
