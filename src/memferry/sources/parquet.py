"""Parquet: our own exports, exactly; other tables that have a column of texts."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import LiteralString

from memferry.errors import Invalid
from memferry.sources.base import Bundle, Journal, Member, ReadOptions, Record, refuse_file

_MAGIC = b"PAR1"
_PACKAGE = "pyarrow"


class ParquetTables:
    """Tables in Apache Parquet, of any program that writes it."""

    name: LiteralString = "parquet"

    def recognises(self, bundle: Bundle) -> bool:
        """Whether a member begins as every Parquet file does."""
        return any(_is_parquet(member) for member in bundle.members)

    def read(self, bundle: Bundle, options: ReadOptions, journal: Journal) -> Iterator[Record]:
        """Yield a record per row, some hundred rows at a time."""
        if find_spec(_PACKAGE) is None:
            raise Invalid(
                "file", "is Parquet, which is not installed here: pip install 'memferry[parquet]'"
            )
        from memferry.sources.rows.parquet_rows import read_table  # noqa: PLC0415 - an extra of 50 MB

        for member in bundle.members:
            if not _is_parquet(member):
                raise refuse_file(member.name, "is no Parquet file")
            yield from read_table(member, options, journal)


def _is_parquet(member: Member) -> bool:
    return member.peek(len(_MAGIC)) == _MAGIC
