"""The command line: one file per command; only these print.

A command imports the parts of the service when it runs, so that help comes at once.
"""

import logging
import os
import sys
from typing import Annotated

import typer

from memferry.cli import (
    audit,
    database,
    doctor,
    drill,
    export,
    import_,
    key,
    migrate,
    serve,
    store,
    tenant,
    token,
    verify,
    worker,
)
from memferry.errors import DatabaseUnavailable, MemferryError
from memferry.log_rate import LogRate

app = typer.Typer(
    name="memferry",
    help="A self-hosted memory store for AI agents that people can always leave.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    from importlib.metadata import version  # takes longer than the rest of this module

    if asked:
        print(f"memferry {version('memferry')}")
        raise typer.Exit


@app.callback()
def _read_options(
    print_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Options before any command."""


for command in (
    serve, worker, migrate, audit, export, import_, verify, drill,
    key, doctor, database, store, tenant, token,
):  # fmt: skip
    app.add_typer(command.app)


def main() -> None:
    """Run one command; an error of the user or the operator is one line, not a trace."""
    # Files that this process and its children write are readable by their owner alone.
    os.umask(0o077)
    _set_up_log()
    try:
        app()
    except MemferryError as fault:
        sys.stderr.write(f"memferry: {fault}{_describe_cause(fault)}\n")
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


def _describe_cause(fault: MemferryError) -> str:
    """The driver's message, which the person at the command line needs."""
    cause = fault.__cause__
    known = isinstance(fault, DatabaseUnavailable) and cause is not None and str(cause)
    return f" ({cause})" if known else ""
