"""What a format is: PostgreSQL renders every row, Python joins the pieces or encodes them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from importlib.util import find_spec
from typing import ClassVar, LiteralString, NamedTuple, Protocol, TypeAlias

from memferry.formats.record_ends import RecordEnds
from memferry.formats.variant import Variant
from memferry.model.csv_copy import CsvCopy


class Order(Enum):
    """In which order the rows of a file run."""

    TIME = "created_at, then id"
    THREADS = "namespace, then thread, then chunk_index, created_at and id"


@dataclass(frozen=True, kw_only=True)
class TextFormat:
    """One record per row, rendered in SQL, and the bytes around the records.

    Nothing in Python runs once per row: PostgreSQL joins many records into one frame, or writes
    them by its own CSV. A record of a frame may hold any text, also line breaks.
    """

    name: LiteralString
    extension: str
    media_type: str
    columns: LiteralString
    """Select list over the view `memories`, aliased `memory`: one text, or the cells of `csv`.

    By threads it may name what export_by_thread.sql says of the place of a row.
    """
    order: Order = Order.TIME
    csv: CsvCopy | None = None
    """How COPY writes the records by its own CSV; None: they come in frames."""
    head: bytes = b""
    separator: bytes
    ends_with_separator: bool = False
    tail: bytes = b""
    ends: RecordEnds | None = None
    """Where a file can be cut into parts; None: `cut` makes a format that cuts itself."""
    cut: "Callable[[int], BinaryFormat] | None" = None
    """The same format with an encoder that ends each file before it has more bytes."""
    leaves_out: str = ""
    """What of a memory is not in the file, as a sentence."""
    variants: frozenset[str] = frozenset()
    """The options of a request that change its records: names of fields of Variant."""
    make_variant: "Callable[[Variant], TextFormat] | None" = None
    installed: ClassVar[bool] = True

    @property
    def rows(self) -> "TextFormat":
        """How PostgreSQL sends its rows: as they stand in the file."""
        return self

    def render(self, statement: str) -> str:
        """The statement with its select list."""
        return statement.replace("{columns}", self.columns)

    def vary(self, variant: Variant) -> "TextFormat":
        """The format with these options, all of them among its variants.

        Raises Invalid that names the field for options that contradict each other.
        """
        return self if self.make_variant is None else self.make_variant(variant)


class Piece(NamedTuple):
    """Some bytes of a file."""

    rows: int
    """How many rows come to their end in them."""
    data: bytes
    ends_file: bool = False
    """Whether the file ends here; what follows are further rows in a next one."""


class Encoder(Protocol):
    """Makes a file of a binary format: records in, bytes out; or several, if it cuts them."""

    def encode(self, records: bytes) -> Iterator[Piece]:
        """What these whole records add to the file; nothing while the encoder gathers more."""

    def finish(self) -> Iterator[Piece]:
        """The rest of the file, in pieces of bounded size."""

    def close(self) -> None:
        """Let go of what it holds beside memory, whether the file is whole or not."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Frames by columns: all values of the first column, then all of the second, and so on.

    A frame is one value, what record_send makes of a row of aggregates, so nothing runs per row.
    """

    cells: LiteralString
    """Select list over the view `memories`, aliased `memory`: the cells of a row."""
    row_bytes: LiteralString
    """How many bytes the cells of a row have, by their names."""
    frame: LiteralString
    """The frame as an aggregate over the cells of those rows that are `small`."""
    csv: ClassVar[None] = None
    separator: ClassVar[bytes] = b""

    @property
    def columns(self) -> LiteralString:
        """A row in a frame of its own, as a select list over the view."""
        cells = f"SELECT {self.cells}, true AS small"
        return f"(SELECT {self.frame} FROM ({cells}) AS cells)"  # noqa: S608 - text of a format

    def render(self, statement: str) -> str:
        """The statement with its cells, their size and the frame of them."""
        places = {name: getattr(self, name) for name in ("columns", "cells", "row_bytes", "frame")}
        for name, text in places.items():
            statement = statement.replace(f"{{{name}}}", text)
        return statement


@dataclass(frozen=True, kw_only=True)
class BinaryFormat:
    """Records as PostgreSQL sends them, and an encoder that makes a file of them."""

    name: LiteralString
    extension: str
    media_type: str
    rows: TextFormat | Columns
    """How PostgreSQL sends the rows to the encoder."""
    order: Order = Order.TIME
    """In which order the encoder is given the rows."""
    start: Callable[[], Encoder] = field(compare=False)
    """Starts the encoder of one file, or of the files of one export."""
    cut: "Callable[[int], BinaryFormat]" = field(compare=False)
    """The same format with an encoder that ends each file before it has more bytes.

    Only a single row may make a file larger.
    """
    package: str | None = None
    """What must be installed beside memferry itself, by the name of its import."""
    leaves_out: str = ""
    """What of a memory is not in the file, as a sentence."""
    variants: frozenset[str] = frozenset()
    """The options of a request that change its records: names of fields of Variant."""
    make_variant: "Callable[[Variant], BinaryFormat] | None" = None

    @property
    def installed(self) -> bool:
        """Whether this process can write it; looks for the package, and loads nothing."""
        return self.package is None or find_spec(self.package) is not None

    def vary(self, variant: Variant, /) -> "BinaryFormat":
        """The format with these options, all of them among its variants."""
        return self if self.make_variant is None else self.make_variant(variant)


Format: TypeAlias = TextFormat | BinaryFormat
