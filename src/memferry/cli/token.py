"""`memferry token create|list|revoke`: of a tenant over HTTP, or of all for the operator."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from memferry.cli.connect import ServerName, is_for_operator, open_client
from memferry.cli.console import make_console, show_name
from memferry.cli.options import DataDir, read_settings
from memferry.cli.output import AsJson, print_entries, print_json, tell
from memferry.cli.times import read_epoch_ms, show_minute, show_time
from memferry.errors import Invalid
from memferry.model.token import SCOPES, USUAL_SCOPES, Grant
from memferry.settings import Settings

if TYPE_CHECKING:
    from memferry.client import Client
    from memferry.wire.tokens import Token

app = typer.Typer(
    name="token", help="Tokens: who may speak for which tenant.", no_args_is_help=True
)


@app.command()
def create(
    tenant: Annotated[
        str | None,
        typer.Option(help="Operators: the tenant; made if there is none by that name."),
    ] = None,
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
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, alone, on standard output; it is shown only this once.

    With --tenant in the database of this machine; without, over HTTP for the same tenant, for
    which the own token needs the scope admin.
    """
    grant = _read_grant(scope, namespace, expires)
    if tenant is not None:
        is_for_operator(server, tenant, data_dir)
        print(_create_in_database(data_dir, tenant, name, grant, link=link))
        return
    if is_for_operator(server, None, data_dir):
        raise Invalid("--tenant", "needed: whose token it is (or log in: memferry login URL)")
    if link:
        raise Invalid("--link", "goes with --tenant")
    with open_client(server) as client:
        created = client.tokens.create(
            name, scopes=grant.scopes, namespaces=grant.namespaces, expires_at=grant.expires_at
        )
    if as_json:
        print_json([created])
    else:
        print(created.token)


def _read_grant(scope: list[str] | None, namespace: list[str] | None, expires: str | None) -> Grant:
    scopes: Any = dict.fromkeys(scope or USUAL_SCOPES)
    return Grant(
        scopes=tuple(scopes),
        namespaces=tuple(dict.fromkeys(namespace)) if namespace else None,
        expires_at=read_epoch_ms("--expires", expires),
    )


@app.command("list")
def list_tokens(
    data_dir: DataDir = None, server: ServerName = None, as_json: AsJson = False
) -> None:
    """List the tokens of the tenant, or of all tenants of this machine: never the whole token."""
    if is_for_operator(server, None, data_dir):
        _list_of_database(data_dir)
        return
    columns = {
        "id": lambda row: row.id,
        "token": lambda row: f"{row.prefix}… {row.name}",
        "scopes": lambda row: row.scopes,
        "namespaces": lambda row: None if row.namespaces is None else ["in", *row.namespaces],
        "end": _describe_end,
    }
    with open_client(server) as client:
        print_entries(client.tokens.list(), columns, as_json=as_json, empty="there is no token")


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(help="The token's id (see: token list), or the token.")],
    data_dir: DataDir = None,
    server: ServerName = None,
) -> None:
    """Revoke a token; from the next request on it is unknown, its unfinished exports end."""
    if is_for_operator(server, None, data_dir):
        from memferry.cli.context import call_operator

        call_operator(read_settings(data_dir), lambda operator: operator.revoke_token(token))
        return
    with open_client(server) as client:
        client.tokens.revoke(_find_id(client, token))
    tell("revoked the token")


def _describe_end(row: "Token") -> str | None:
    """Until when a token is good, or was."""
    if row.revoked_at is not None:
        return f"revoked {show_minute(row.revoked_at)}"
    return None if row.expires_at is None else f"expires {show_minute(row.expires_at)}"


def _find_id(client: "Client", token: str) -> str:
    """The id of a token that was given whole: the service tells it to its holder alone."""
    from memferry.client import Client

    if not token.startswith("mnu_"):
        return token
    with Client(client.url, token) as holder:
        return str(holder.get_me().user.id)


def _list_of_database(data_dir: Path | None) -> None:
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


def _create_in_database(
    data_dir: Path | None, tenant: str, name: str, grant: Grant, *, link: bool
) -> str:
    from memferry.cli.context import run

    return run(_create(read_settings(data_dir), tenant, name, grant, link=link))


async def _create(settings: Settings, tenant: str, name: str, grant: Grant, *, link: bool) -> str:
    from memferry.cli.context import migrate_database
    from memferry.tenants.operator import Operator

    async with migrate_database(settings) as url:
        operator = Operator(url)
        token = await operator.create_token(tenant, name, grant)
        if not link:
            return token.text
        service = settings.web.public_url or settings.client.address
        return service.rstrip("/") + (await operator.create_sign_in_link(token)).path
