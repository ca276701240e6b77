"""The command line: one file per command; only these print."""

import logging
import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from memferry.cli import audit, database, migrate, serve, store, tenant, token, worker
from memferry.cli.doctor import register as register_doctor
from memferry.cli.export import register as register_export
from memferry.errors import DatabaseUnavailable, MemferryError
from memferry.log_rate import LogRate

app = typer.Typer(
    name="memferry",
    help="A self-hosted memory store for AI agents that people can always leave.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _tell_version(asked: bool) -> None:
    if asked:
        print(f"memferry {version('memferry')}")
        raise typer.Exit


@app.callback()
def _options(
    tell_version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version."),
    ] = False,
) -> None:
    """What goes before any command."""


serve.register(app)
worker.register(app)
migrate.register(app)
audit.register(app)
register_export(app)
register_doctor(app)
app.add_typer(database.app, name="database")
app.add_typer(store.app, name="store")
app.add_typer(tenant.app, name="tenant")
app.add_typer(token.app, name="token")


def main() -> None:
    """Run one command; a fault of the user or the operator is one line, not a trace."""
    # Whatever is written, by this process or one it starts, is nobody else's business.
    os.umask(0o077)
    _set_up_log()
    try:
        app()
    except MemferryError as fault:
        sys.stderr.write(f"memferry: {fault}{_why(fault)}\n")
        sys.exit(1)


def _set_up_log() -> None:
    log = logging.StreamHandler(sys.stderr)
    log.addFilter(LogRate())
    logging.basicConfig(
        level=logging.INFO,
        handlers=[log],
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _why(fault: MemferryError) -> str:
    """What the driver met: whoever runs a command has to mend it."""
    cause = fault.__cause__
    known = isinstance(fault, DatabaseUnavailable) and cause is not None and str(cause)
    return f" ({cause})" if known else ""
