"""What a format is: PostgreSQL renders every row of a text format, Python joins the pieces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, LiteralString, Protocol, TypeAlias

from memferry.formats.variant import Variant
from memferry.model.csv_copy import CsvCopy


class Order(Enum):
    """In which order the rows of a file run."""

    TIME = "created_at, then id"
    THREADS = "namespace, then thread, then created_at, then id"


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
    leaves_out: str = ""
    """What of a memory is not in the file, as a sentence."""
    variants: frozenset[str] = frozenset()
    """The options of a request that change its records: names of fields of Variant."""
    make_variant: "Callable[[Variant], TextFormat] | None" = None

    def vary(self, variant: Variant) -> "TextFormat":
        """The format with these options, all of them among its variants.

        Raises Invalid that names the field for options that contradict each other.
        """
        return self if self.make_variant is None else self.make_variant(variant)


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
    def extension(self) -> str:
        """The end of a file's name."""

    @property
    def media_type(self) -> str:
        """The type of its files."""

    @property
    def columns(self) -> LiteralString:
        """Select list over the view `memories`, aliased `memory`: what the encoder is given."""

    @property
    def order(self) -> Order:
        """In which order the encoder is given the rows."""

    @property
    def leaves_out(self) -> str:
        """What of a memory is not in the file, as a sentence."""

    @property
    def variants(self) -> frozenset[str]:
        """The options of a request that change its records: names of fields of Variant."""

    def vary(self, variant: Variant, /) -> "BinaryFormat":
        """The format with these options, all of them among its variants."""

    def start(self) -> Encoder:
        """The encoder of one file."""


Format: TypeAlias = TextFormat | BinaryFormat
