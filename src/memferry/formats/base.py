"""What a format is: PostgreSQL renders every row of a text format, Python joins the pieces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, Protocol, TypeAlias

from memferry.model.csv_copy import CsvCopy


@dataclass(frozen=True, kw_only=True)
class TextFormat:
    """One record per row, rendered in SQL, and the bytes around the records.

    Nothing in Python runs once per row: PostgreSQL joins many records into one frame, or writes
    them by its own CSV. A record of a frame may hold any text, also line breaks.
    """

    name: LiteralString
    safe: bool = False
    """Whether no spreadsheet runs anything in it."""
    extension: str
    media_type: str
    columns: LiteralString
    """Select list over the view `memories`, aliased `memory`: one text, or the cells of `csv`."""
    csv: CsvCopy | None = None
    """How COPY writes the records by its own CSV; None: they come in frames."""
    head: bytes = b""
    separator: bytes
    ends_with_separator: bool = False
    tail: bytes = b""
    leaves_out: str = ""
    """What of a memory its records do not hold, in a sentence for the manifest; "": nothing."""


class Encoder(Protocol):
    """Makes one file of a binary format: batches of rows in, bytes out."""

    def encode(self, rows: Sequence[Any]) -> bytes:
        """The bytes that these rows add to the file; b"" while the encoder gathers more rows."""

    def finish(self) -> bytes:
        """The rest of the file, after the last row."""


class BinaryFormat(Protocol):
    """A format that Python encodes, row by row or by columns."""

    @property
    def name(self) -> LiteralString:
        """Its name in a request."""

    @property
    def safe(self) -> bool:
        """Whether no spreadsheet runs anything in it."""

    @property
    def extension(self) -> str:
        """The end of a file's name."""

    @property
    def media_type(self) -> str:
        """The type of its files."""

    @property
    def leaves_out(self) -> str:
        """What of a memory its files do not hold, in a sentence; "": nothing."""

    @property
    def columns(self) -> LiteralString:
        """Select list over the view `memories`, aliased `memory`: what the encoder is given."""

    def start(self) -> Encoder:
        """The encoder of one file."""


Format: TypeAlias = TextFormat | BinaryFormat
