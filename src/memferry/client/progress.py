"""The progress of an export, as values that a program can show."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Progress:
    """How much of a step is done: rows while the service exports, bytes while they come here."""

    step: Literal["exporting", "downloading"]
    done: int
    total: int


Report = Callable[[Progress], None]
"""Called with the progress, often; what it raises ends the work."""


def ignore_progress(_progress: Progress) -> None:
    """Show nothing."""
