"""What the commands of an operator have in common: the data directory, and the settings."""

from pathlib import Path
from typing import Annotated

import typer

from memferry.settings import Settings

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Data directory (MEMFERRY_DATA_DIR).")
]


def read_settings(data_dir: Path | None = None) -> Settings:
    """The settings of the environment; an option given on the command line wins."""
    return Settings.from_environment(data_dir=data_dir.absolute() if data_dir else None)
