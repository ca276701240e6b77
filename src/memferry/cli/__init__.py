"""The command line: one file per command; only these print.

A command imports the parts of the service when it runs, so that help comes at once.
"""

import logging
import os
import sys
from typing import Annotated

import typer
from typer._completion_classes import completion_init

from memferry.cli import (
    audit,
    completion,
    database,
    delete,
    demo,
    doctor,
    drill,
    edit,
    export,
    get,
    groups,
    history,
    import_,
    jobs,
    key,
    list_,
    login,
    mcp,
    migrate,
    project,
    save,
    search,
    serve,
    status,
    store,
    tenant,
    token,
    verify,
    webhook,
    worker,
)
from memferry.cli.advice import advise
from memferry.cli.console import flush_standard_output
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


for panel, commands in {
    "Memories": (save, list_, search, get, edit, delete, history, groups, project),
    "In and out": (export, import_, mcp, jobs, verify),
    "Servers and tokens": (login, status, token, webhook, audit),
    "Operation": (
        serve,
        demo,
        worker,
        migrate,
        doctor,
        drill,
        key,
        tenant,
        store,
        database,
        completion,
    ),
}.items():
    for command in commands:
        for info in command.app.registered_commands:
            if not command.app.info.name:  # a command of a group stands in the help of the group
                info.rich_help_panel = panel
        app.add_typer(command.app, rich_help_panel=panel)


def main() -> None:
    """Run one command; an error of the user or the operator is one line, not a trace."""
    # Files that this process and its children write are readable by their owner alone.
    os.umask(0o077)
    _set_up_log()
    completion_init()  # typer does so only where it shows its own options for completion
    try:
        app(prog_name="memferry")
    except MemferryError as fault:
        sys.stderr.write(f"memferry: {_describe(fault)}{advise(fault)}\n")
        sys.exit(1)
    finally:
        if not flush_standard_output():
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
    # What the SDK of MCP logs may quote a message, which belongs to a tenant.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)


def _describe(fault: MemferryError) -> str:
    """The error, with the driver's message, which the person at the command line needs."""
    cause, text = fault.__cause__, str(fault).removesuffix(".")
    known = isinstance(fault, DatabaseUnavailable) and cause is not None and str(cause)
    return f"{text} ({cause})" if known else text
