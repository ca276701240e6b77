"""The progress of an export or an import, as values that a program can show."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Progress:
    """How much of a step is done: rows while the service works, bytes while they travel."""

    step: Literal["exporting", "downloading", "uploading", "importing"]
    done: int
    total: int | None
    """None where nobody knows how much there is."""


Report = Callable[[Progress], None]
"""Called with the progress, often; what it raises ends the work."""


def ignore_progress(_progress: Progress) -> None:
    """Show nothing."""
