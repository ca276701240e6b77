"""`memferry demo`: the demo, as a process of its own, since it uses commands as people do."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def demo(
    stay: Annotated[
        bool, typer.Option("--stay", help="Leave the service running, with the page to look at.")
    ] = False,
    rows: Annotated[
        int | None, typer.Option(help="How many rows the queued export has, at least.")
    ] = None,
    locomo_dir: Annotated[
        Path | None, typer.Option("--locomo", help="Load LoCoMo dialogues from here instead.")
    ] = None,
    directory: Annotated[
        Path | None, typer.Option(help="Where the files and the demo's own database go.")
    ] = None,
) -> None:
    """Save sample memories, export them every way, bring them back, and check every byte."""
    options = {"--rows": rows, "--locomo": locomo_dir, "--directory": directory}
    words = [f"{name}={value}" for name, value in options.items() if value is not None]
    command = [sys.executable, "-m", "memferry.demo", *words, *(["--stay"] if stay else [])]
    os.execv(sys.executable, command)  # noqa: S606 - our own command
