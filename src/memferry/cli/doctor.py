"""`memferry doctor`: what runs, which versions, what is wrong and how to mend it."""

import platform
import sys

import typer
from rich.console import Console

from memferry.cli.console import make_console
from memferry.cli.options import DataDir, read_settings
from memferry.settings import Settings

_COLORS = {"ok": "green", "note": "yellow", "wrong": "red"}

app = typer.Typer()


@app.command()
def doctor(data_dir: DataDir = None) -> None:
    """Look at every part, change nothing; ends with status 1 if something is wrong."""
    from importlib.metadata import version

    from memferry.cli.context import run

    console = make_console()
    console.print(
        f"memferry {version('memferry')}, Python {platform.python_version()}", soft_wrap=True
    )
    sys.exit(0 if run(_print_findings(console, read_settings(data_dir))) else 1)


async def _print_findings(console: Console, settings: Settings) -> bool:
    """Print what the checks find, as it comes; answers whether nothing is wrong."""
    from memferry.cli.checks import list_checks
    from memferry.operation.findings import run_checks

    healthy = True
    async for part, finding in run_checks(list_checks(settings)):
        console.print(f"{finding.mark:<6}", style=_COLORS[finding.mark], end=" ")
        console.print(f"{part}: {finding.text}", soft_wrap=True)
        healthy = healthy and finding.mark != "wrong"
    return healthy
