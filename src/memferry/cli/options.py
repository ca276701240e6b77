"""Options that operator commands share, and their settings."""

from pathlib import Path
from typing import Annotated

import typer

from memferry.settings import Settings

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Data directory (MEMFERRY_DATA_DIR).")
]


def read_settings(data_dir: Path | None = None) -> Settings:
    """Read the settings of the environment; an option of the command line wins."""
    return Settings.from_environment(data_dir=data_dir.absolute() if data_dir else None)
