"""Blocks: records as they go on from the database, whole ones only."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol


class Block(NamedTuple):
    """Some whole records."""

    rows: int
    data: bytes
    """The records with the format's separator after each."""


class CopyReader(Protocol):
    """Finds the records in what one COPY sends."""

    @property
    def copy_options(self) -> Mapping[str, Any]:
        """Options of COPY that make it send what this reader reads."""

    def take(self, data: bytes) -> None:
        """The next bytes that COPY sent."""

    def pop(self) -> Block:
        """The whole records among the bytes taken since the last call."""

    def end(self, copied: int) -> int:
        """The number of records; raises AssertionError if COPY's own count says another one."""
