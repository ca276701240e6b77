"""The server that a client command talks to, and the client for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memferry.cli.options import read_settings
from memferry.cli.servers import Servers
from memferry.errors import Invalid
from memferry.settings import ClientSettings

if TYPE_CHECKING:
    from memferry.client import Client

ServerName = Annotated[
    str | None,
    typer.Option(
        "--server", help="A server that memferry login keeps, by its name.", metavar="NAME"
    ),
]


@dataclass(frozen=True)
class Target:
    """A service and the token for it."""

    url: str
    token: str | None
    name: str = ""
    """Of the server that is kept; "": the environment names it."""


def find_target(server: str | None) -> Target:
    """Find the service that a command is for: the first of these that is given.

    `--server`; MEMFERRY_URL or MEMFERRY_TOKEN; MEMFERRY_SERVER; the current server of `login`; this
    machine. Raises Invalid for an unknown name.
    """
    settings = read_settings().client
    servers = Servers.load(settings)
    if server is not None:
        return _take(servers, server)
    if settings.url is not None or settings.token is not None:
        return Target(settings.address, settings.token or _find_token(servers, settings))
    name = settings.server or servers.current
    return Target(settings.address, None) if name is None else _take(servers, name)


def open_client(server: str | None) -> "Client":
    """Open a client of the service that a command is for; without a token for its local tenant."""
    from memferry.client import Client

    target = find_target(server)
    return Client(target.url, target.token)


def _take(servers: Servers, name: str) -> Target:
    server = servers.find(name)
    return Target(server.url, server.token, name)


def _find_token(servers: Servers, settings: ClientSettings) -> str | None:
    """The token that is kept for the address that the environment names."""
    tokens = [known.token for known in servers.servers.values() if known.url == settings.address]
    return tokens[0] if tokens else None


def is_for_operator(server: str | None, tenant: str | None, data_dir: Path | None) -> bool:
    """Whether a command that exists on both sides is meant for the database of this machine.

    It is if a tenant or a data directory is named, or no server is. Raises Invalid for both.
    """
    named = "--tenant" if tenant is not None else None if data_dir is None else "--data-dir"
    if server is not None and named is not None:
        raise Invalid("--server", f"goes without {named}, which is for the operator's database")
    if server is not None or named is not None:
        return named is not None
    target = find_target(None)
    return target.token is None and not target.name
