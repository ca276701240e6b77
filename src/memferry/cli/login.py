"""`memferry login|logout|servers`: the servers whose tokens are kept on this machine."""

import sys
from typing import Annotated
from urllib.parse import urlsplit

import typer

from memferry.cli.options import read_settings
from memferry.cli.output import AsJson, print_rows, tell
from memferry.cli.servers import KnownServer, Servers
from memferry.errors import Invalid, MissingToken

app = typer.Typer()


@app.command()
def login(
    url: Annotated[str, typer.Argument(help="The address of the service, https://…")],
    name: Annotated[
        str | None, typer.Option(help="What to call it; unless given, its host.")
    ] = None,
) -> None:
    """Ask for a token, try it, and keep it with the address; commands use this server then.

    The token is asked for on a terminal, and read from standard input otherwise. It is kept in
    servers.json below ~/.config/memferry, which its owner alone can read.
    Example: ssh server memferry token create --tenant me | memferry login https://memferry.example
    """
    from memferry.client import Client

    settings = read_settings().client
    address, servers = _read_url(url), Servers.load(settings)
    token = _read_token()
    with Client(address, token) as client:
        me = client.get_me()
    known = name or urlsplit(address).netloc
    servers.add(known, KnownServer(url=address, token=token))
    tell(f"logged in to {known} ({address}) as {me.org.name}, with {' '.join(me.user.scopes)}")
    if settings.url is not None or settings.token is not None:
        tell("MEMFERRY_URL or MEMFERRY_TOKEN is set, and wins over it: unset them, or use --server")


@app.command()
def logout(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Unless given, the current server.")
    ] = None,
) -> None:
    """Forget a server and its token here; the token stays valid, see: memferry token revoke."""
    servers = Servers.load(read_settings().client)
    chosen = name or servers.current
    if chosen is None:
        raise Invalid("NAME", "there is no server to log out of; see: memferry servers")
    servers.remove(chosen)
    tell(f"logged out of {chosen}")


@app.command("servers")
def list_servers(as_json: AsJson = False) -> None:
    """List the servers that login keeps, without their tokens."""
    servers = Servers.load(read_settings().client)
    rows = [
        {"name": name, "url": server.url, "current": name == servers.current}
        for name, server in servers.servers.items()
    ]
    columns = {
        "name": lambda row: row["name"],
        "url": lambda row: row["url"],
        "current": lambda row: row["current"],
    }
    print_rows(rows, columns, as_json=as_json, empty="no server is known; see: memferry login URL")


def _read_url(text: str) -> str:
    from memferry.settings.parsing import parse_web_url

    try:
        return parse_web_url(text)
    except ValueError as fault:
        raise Invalid("URL", str(fault)) from fault


def _read_token() -> str:
    """Read the token without showing it."""
    text = typer.prompt("Token", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    token: str = text.strip()
    if not token:
        raise MissingToken
    return token
