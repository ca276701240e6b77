"""Telling an export that was made with `csv_safe`: its texts have guards, which are to go.

Such a file quotes every cell of text and no other. Programs that save a table again quote what
needs it, or all cells: then nobody can tell, and the guards stay.
"""

import re
from collections.abc import Iterator
from itertools import islice

from memferry.sources.memferry import FIELDS

_CELL = rb'"(?:[^"]|"")*+"|[^",\r\n]*+'
_RECORD = re.compile(rb"(?:" + _CELL + rb")(?:,(?:" + _CELL + rb"))*+(?:\r\n|\Z)")
_CELLS = re.compile(rb"(?:\A|,)(" + _CELL + rb")")
_NEEDLESS = re.compile(rb'"[^",\r\n]++"')
_RECORDS = 100
TEXT_COLUMNS = frozenset(FIELDS) - {"id", "created_at", "updated_at", "expires_at"}


def holds_guards(head: bytes, names: list[str]) -> bool:
    """Whether the table that begins so was certainly written by `csv_safe`."""
    has_needless = False
    for record in islice(_cut_records(head), 1, _RECORDS):
        cells = _CELLS.findall(record.removesuffix(b"\r\n"))
        if len(cells) != len(names):
            break
        for name, cell in zip(names, cells, strict=True):
            if cell.startswith(b'"') != (name in TEXT_COLUMNS):
                return False
            has_needless |= _NEEDLESS.fullmatch(cell) is not None
    return has_needless


def _cut_records(head: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(head) and (record := _RECORD.match(head, at)) is not None:
        yield record[0]
        at = record.end()
