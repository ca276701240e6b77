"""Settings of the API, of webhooks, and of the client commands."""

from dataclasses import dataclass
from pathlib import Path

from memferry.settings.environment import declare
from memferry.settings.parsing import parse_count, parse_flag, parse_path, parse_text, parse_web_url
from memferry.settings.places import BULK_TIMES

DEFAULT_URL = "http://127.0.0.1:3122"
"""Where `memferry serve` listens unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """Who can reach the service, and what one API process spends on requests."""

    public_url: str | None = declare(
        "MEMFERRY_PUBLIC_URL",
        parse_web_url,
        None,
        "Address under which people reach the service, for links; "
        "unset: the address the request came to.",
    )
    allow_public: bool = declare(
        "MEMFERRY_ALLOW_PUBLIC",
        parse_flag,
        False,
        "Listen on an address that other machines reach even while there is no token: "
        "the first start then prints one into its log.",
    )
    local_tenant: str | None = declare(
        "MEMFERRY_LOCAL_TENANT",
        parse_text,
        None,
        "Name of the tenant that programs on this machine speak for when they send no token, for "
        "clients that cannot: see docs/clients.md. The service then listens on loopback only; "
        "unset: everybody needs a token.",
    )
    connections: int = declare(
        "MEMFERRY_CONNECTIONS",
        parse_count,
        1000,
        "HTTP connections that one API process keeps open; for more, idle ones are closed first.",
    )
    memory_mb: int = declare(
        "MEMFERRY_MEMORY_MB",
        parse_count,
        512,
        "What bodies and answers of all requests of one API process may hold of memory at once, in "
        "MiB, half of it for one tenant; what would pass it waits, and is refused after 10 s.",
    )
    request_seconds: int = declare(
        "MEMFERRY_REQUEST_SECONDS",
        parse_count,
        120,
        "How long one request may be worked on, from when its body has come until its answer "
        "begins; ten times as long for a bulk save.",
    )

    @property
    def bulk_seconds(self) -> int:
        """The time limit of a bulk save, in seconds."""
        return BULK_TIMES * self.request_seconds

    @property
    def memory_bytes(self) -> int:
        """The most bytes of bodies and answers of all requests at once."""
        return self.memory_mb * 1024**2


@dataclass(frozen=True, kw_only=True)
class WebhookSettings:
    """The addresses that webhooks may have."""

    allow_private: bool = declare(
        "MEMFERRY_WEBHOOKS_ALLOW_PRIVATE",
        parse_flag,
        False,
        "Development only: deliver webhooks over plain http and to private addresses.",
    )


def _choose_config_home() -> Path:
    """The place of the XDG Base Directory Specification, version 0.8."""
    return Path("~/.config").expanduser()


@dataclass(frozen=True, kw_only=True)
class ClientSettings:
    """The service that client commands call, and the token."""

    url: str | None = declare(
        "MEMFERRY_URL",
        parse_web_url,
        None,
        "Client commands: the service to talk to; unset: the server of `memferry login`, if there "
        "is one, else `http://127.0.0.1:3122`.",
    )
    token: str | None = declare(
        "MEMFERRY_TOKEN",
        parse_text,
        None,
        "Client commands: the bearer token; it wins over those that `memferry login` keeps.",
    )
    server: str | None = declare(
        "MEMFERRY_SERVER",
        parse_text,
        None,
        "Client commands: the name of a server that `memferry login` keeps; `--server` wins over "
        "it.",
    )
    config_home: Path = declare(
        "XDG_CONFIG_HOME",
        parse_path,
        _choose_config_home,
        "Client commands: the directory in which `memferry/servers.json` keeps the servers "
        "(default `~/.config`).",
    )
    editor: str | None = declare(
        "VISUAL", parse_text, None, "`memferry edit`: the editor to open; it wins over `EDITOR`."
    )
    line_editor: str | None = declare(
        "EDITOR", parse_text, None, "`memferry edit`: the editor to open; unset: `vi`."
    )

    @property
    def address(self) -> str:
        """The service that the environment names, or the one of this machine."""
        return DEFAULT_URL if self.url is None else self.url

    @property
    def chosen_editor(self) -> str:
        """The command that opens a file, by the custom of the two variables."""
        return self.editor or self.line_editor or "vi"
