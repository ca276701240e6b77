"""What a format is: PostgreSQL renders every row, Python joins the pieces or encodes them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import ClassVar, LiteralString, Protocol, TypeAlias

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
    """What of a memory is not in the file, as a sentence; empty: nothing."""
    installed: ClassVar[bool] = True

    @property
    def rows(self) -> "TextFormat":
        """How PostgreSQL sends its rows: as they stand in the file."""
        return self

    def render(self, statement: str) -> str:
        """The statement with its select list."""
        return statement.replace("{columns}", self.columns)


class Encoder(Protocol):
    """Makes one file of a binary format: records in, bytes out; never used by two threads at once."""

    def encode(self, records: bytes) -> bytes:
        """The bytes that these whole records add to the file; b"" while the encoder gathers more."""

    def finish(self) -> Iterator[bytes]:
        """The rest of the file after the last record, in pieces of bounded size."""

    def close(self) -> None:
        """Let go of what it holds beside memory, whether the file is whole or not."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Frames by columns: in a frame stand all values of the first column, then all of the second.

    A frame is one value, the `record_send` of a row of aggregates, so nothing runs per row.
    """

    columns: LiteralString
    """Select list over the view `memories`, aliased `memory`: the cells of a row."""
    row_bytes: LiteralString
    """How many bytes the cells of a row have, by the names of the select list."""
    frame: LiteralString
    """The frame as an aggregate over rows of cells; only rows that are `small` enter it."""
    csv: ClassVar[None] = None
    separator: ClassVar[bytes] = b""

    def render(self, statement: str) -> str:
        """The statement with its select list and its aggregate."""
        statement = statement.replace("{frame}", self.frame)
        return statement.replace("{row_bytes}", self.row_bytes).replace("{columns}", self.columns)


@dataclass(frozen=True, kw_only=True)
class BinaryFormat:
    """Records as PostgreSQL sends them, and an encoder that makes a file of them."""

    name: LiteralString
    safe: bool = False
    """Whether no spreadsheet runs anything in it."""
    extension: str
    media_type: str
    rows: TextFormat | Columns
    """How PostgreSQL sends the rows to the encoder."""
    start: Callable[[], Encoder]
    """Starts the encoder of one file."""
    package: str | None = None
    """What must be installed beside memferry itself, by the name of its import."""
    leaves_out: str = ""
    """What of a memory is not in the file, as a sentence; empty: nothing."""

    @property
    def installed(self) -> bool:
        """Whether this process can write it; looks for the package, and loads nothing."""
        return self.package is None or find_spec(self.package) is not None


Format: TypeAlias = TextFormat | BinaryFormat
