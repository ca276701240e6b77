"""How a format wants COPY to write CSV."""

from dataclasses import dataclass
from typing import LiteralString


@dataclass(frozen=True, kw_only=True)
class CsvCopy:
    """Options of COPY … TO STDOUT (https://www.postgresql.org/docs/current/sql-copy.html)."""

    null: LiteralString
    """How NULL is written."""
    force_quote: tuple[LiteralString, ...]
    """The columns whose cells are always quoted."""
    record_end: bytes
    """Ends each record as COPY writes it, and occurs nowhere else."""
