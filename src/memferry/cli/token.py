"""`memferry token create|list|revoke`."""

from typing import Annotated, Any

import typer
from rich.table import Table

from memferry.cli.console import make_console, show_name
from memferry.cli.options import DataDir, read_settings
from memferry.cli.times import read_epoch_ms, show_time
from memferry.model.token import SCOPES, USUAL_SCOPES, Grant
from memferry.settings import Settings

app = typer.Typer(
    name="token", help="Tokens: who may speak for which tenant.", no_args_is_help=True
)


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
    link: Annotated[
        bool, typer.Option("--link", help="Print a link that signs a browser in once instead.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Make a token and print it, alone, on standard output; it is shown only this once."""
    from memferry.cli.context import run

    scopes: Any = dict.fromkeys(scope or USUAL_SCOPES)
    grant = Grant(
        scopes=tuple(scopes),
        namespaces=tuple(dict.fromkeys(namespace)) if namespace else None,
        expires_at=read_epoch_ms("--expires", expires),
    )
    print(run(_create(read_settings(data_dir), tenant, name, grant, link=link)))


@app.command("list")
def list_tokens(data_dir: DataDir = None) -> None:
    """List all tokens: their first characters, never the whole."""
    from memferry.cli.context import call_operator

    tokens = call_operator(read_settings(data_dir), lambda operator: operator.list_tokens())
    columns = ("id", "tenant", "name", "token", "scopes", "namespaces", "created", "expires")
    table = Table(*columns, "revoked", box=None)
    for row in tokens:
        table.add_row(
            str(row["id"]),
            show_name(row["tenant"]),
            show_name(row["name"]),
            f"{row['prefix']}…",
            " ".join(row["scopes"]),
            "all" if row["namespaces"] is None else show_name(" ".join(row["namespaces"])),
            show_time(row["created_at"]),
            show_time(row["expires_at"]),
            show_time(row["revoked_at"]),
        )
    make_console().print(table)


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(help="The token's id (see: token list), or the token.")],
    data_dir: DataDir = None,
) -> None:
    """Revoke a token; from the next request on it is unknown, its unfinished exports end."""
    from memferry.cli.context import call_operator

    call_operator(read_settings(data_dir), lambda operator: operator.revoke_token(token))


async def _create(settings: Settings, tenant: str, name: str, grant: Grant, *, link: bool) -> str:
    from memferry.cli.context import migrate_database
    from memferry.tenants.operator import Operator

    async with migrate_database(settings) as url:
        operator = Operator(url)
        token = await operator.create_token(tenant, name, grant)
        if not link:
            return token.text
        service = settings.web.public_url or settings.client.url
        return service.rstrip("/") + (await operator.create_sign_in_link(token)).path
