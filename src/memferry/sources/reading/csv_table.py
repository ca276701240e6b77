"""Reading CSV (RFC 4180) as records of bounded size; quoting that is broken is an error."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from memferry.sources.base import Journal, Place, refuse_file
from memferry.sources.reading.mending import NUL, SURROGATE_BYTES

_LINE_BYTES = 16 * 1024 * 1024
"""More than the largest memory takes with all quotes doubled."""
# For the whole process: nothing else in it reads CSV, and the library has no other place for it.
csv.field_size_limit(_LINE_BYTES)
_DELIMITERS = (",", ";", "\t")
_NAME = re.compile(r"\w[\w .-]{0,99}")


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """The cells of one record."""

    place: Place
    cells: list[str]


def split_header(head: bytes) -> tuple[list[str], str]:
    """The names in the first line, and what stands between cells; no names if it is no header."""
    line, _, _ = head.partition(b"\n")
    text = line.decode("utf-8", "replace").removesuffix("\r")
    if "\r" not in text:
        for delimiter in _DELIMITERS:
            names = next(csv.reader([text], delimiter=delimiter), [])
            if all(map(_NAME.fullmatch, names)):
                return names, delimiter
    return [], ","


class CsvTable:
    """The records of one file."""

    def __init__(self, file: BinaryIO, member: str, delimiter: str, journal: Journal) -> None:
        self._file = file
        self._member = member
        self._delimiter = delimiter
        self._journal = journal
        self._line = 0

    def read(self) -> Iterator[CsvRecord]:
        """Yield the records with the line in which each begins; blank lines are none.

        Raises Invalid where the quoting is broken: what follows has no meaning then.
        """
        reader = csv.reader(self._read_lines(), delimiter=self._delimiter, strict=True)
        while True:
            start = self._line + 1
            try:
                cells = next(reader, None)
            except csv.Error as fault:
                reason = f"has broken quoting from line {start} on: {fault}"
                raise refuse_file(self._member, reason) from fault
            if cells is None:
                return
            if cells:
                yield CsvRecord(Place(self._member, f"line {start}"), cells)

    def _read_lines(self) -> Iterator[str]:
        while line := self._file.readline(_LINE_BYTES):
            self._line += 1
            if len(line) == _LINE_BYTES:
                reason = f"has more than {_LINE_BYTES} bytes in line {self._line}"
                raise refuse_file(self._member, reason)
            yield self._decode(line)

    def _decode(self, line: bytes) -> str:
        """The text of a line; bytes that are no UTF-8 become single surrogates."""
        place = Place(self._member, f"line {self._line}")
        if b"\x00" in line:
            self._journal.repair(NUL, place)
            line = line.replace(b"\x00", b"")
        try:
            return line.decode()
        except UnicodeDecodeError:
            pass
        try:
            halves = line.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return line.decode("utf-8", "surrogateescape")
        self._journal.repair(SURROGATE_BYTES, place)
        return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
