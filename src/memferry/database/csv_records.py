"""CSV records as COPY writes them (https://www.postgresql.org/docs/current/sql-copy.html)."""

from collections.abc import Mapping
from typing import Any

from memferry.database.blocks import Block
from memferry.model.csv_copy import CsvCopy


class CsvReader:
    """Puts the format's separator in the place of the mark that ends each record."""

    def __init__(self, csv: CsvCopy, separator: bytes) -> None:
        self.copy_options: Mapping[str, Any] = {
            "format": "csv",
            "null": csv.null,
            "force_quote": csv.force_quote,
        }
        self._record_end = csv.record_end
        self._separator = separator
        self._pieces: list[bytes] = []
        self._records = 0

    def take(self, data: bytes) -> None:
        """The next bytes, cut anywhere."""
        self._pieces.append(data)

    def pop(self) -> Block:
        """The whole records; what is left over waits for its end."""
        # One look at each byte, which costs less than to count and to replace.
        *records, rest = b"".join(self._pieces).split(self._record_end)
        self._pieces = [rest] if rest else []
        self._records += len(records)
        return Block(len(records), self._separator.join([*records, b""]))

    def end(self, copied: int) -> int:
        """The number of records; raises AssertionError if COPY's own count says another one."""
        if self._pieces or self._records != copied:
            raise AssertionError(f"{self._records} records found of {copied} copied")
        return self._records
