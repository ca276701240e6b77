"""CSV: our own exports and mnueron's, exactly; other tables that have a column of texts."""

import re
from collections.abc import Iterator, Mapping
from typing import LiteralString

import msgspec
from msgspec import Raw

from memferry.errors import Invalid
from memferry.model.csv_guards import remove_guards
from memferry.sources.base import Bundle, Journal, Member, Place, ReadOptions, Record, refuse_file
from memferry.sources.memferry import FIELDS, Row, make_record
from memferry.sources.reading.csv_table import CsvRecord, CsvTable, split_header
from memferry.sources.reading.elements import HEAD_BYTES
from memferry.sources.reading.text import open_text, peek_text
from memferry.sources.rows.fields import Fields
from memferry.sources.rows.foreign_rows import RowReader
from memferry.sources.rows.guarded_csv import TEXT_COLUMNS, holds_guards

_TEXT_COLUMNS = frozenset(["content", "memory", "text"])
# Whole, the first row may take more than a megabyte.
_FIRST_ROWS_BYTES = 4 * 1024 * 1024
_TIMES = ("created_at", "updated_at", "expires_at")
_TIME = re.compile(r"[0-9]{1,19}")
_JSON_STARTS = ("{", "[")
_TAGS = msgspec.json.Decoder(list[str])


class CsvRows:
    """Tables with a header, whose cells are parted by commas, semicolons or tabs."""

    name: LiteralString = "csv"

    def recognises(self, bundle: Bundle) -> bool:
        """Whether a member begins with names of columns, one of which is of texts."""
        return any(_has_texts(member) for member in bundle.members)

    def read(self, bundle: Bundle, options: ReadOptions, journal: Journal) -> Iterator[Record]:
        """Yield a record per row."""
        for member in bundle.members:
            names, delimiter = split_header(peek_text(member, HEAD_BYTES))
            if _TEXT_COLUMNS.isdisjoint(names):
                raise refuse_file(member.name, "has no header with a column `content`")
            with open_text(member, journal) as file:
                table = CsvTable(file, member.name, delimiter, journal)
                yield from _RowMaker(names, member, options, journal).make_records(table)


class _RowMaker:
    """Makes records of the rows of one table."""

    def __init__(
        self, names: list[str], member: Member, options: ReadOptions, journal: Journal
    ) -> None:
        self._names = names
        self._journal = journal
        self._foreign_rows = RowReader(member.name, options, journal, reader="csv")
        self._is_ours = {"id", "content"} <= set(names) <= set(FIELDS)
        self._has_guards = self._is_ours and holds_guards(
            peek_text(member, _FIRST_ROWS_BYTES), names
        )

    def make_records(self, table: CsvTable) -> Iterator[Record]:
        """Yield the records of all rows; the first one is the header."""
        rows = table.read()
        next(rows, None)
        for row in rows:
            try:
                yield from self._make_row(row)
            except Invalid as fault:
                self._journal.reject(row.place, str(fault))

    def _make_row(self, row: CsvRecord) -> Iterator[Record]:
        if len(row.cells) != len(self._names):
            raise Invalid("row", f"has {len(row.cells)} cells, the header {len(self._names)}")
        if any(map(_holds_surrogate, row.cells)):
            raise Invalid("row", "is not valid UTF-8")
        cells = {name: cell for name, cell in zip(self._names, row.cells, strict=True) if cell}
        if self._has_guards:
            cells = self._remove_guards(cells, row.place)
        if self._is_ours and _tells_own_times(cells):
            yield make_record(_read_own_row(cells), row.place)
        else:
            yield from self._foreign_rows.read_fields(_make_fields(cells), row.place)

    def _remove_guards(self, cells: dict[str, str], place: Place) -> dict[str, str]:
        clear = {
            name: remove_guards(cell) if name in TEXT_COLUMNS else cell
            for name, cell in cells.items()
        }
        if clear != cells:
            self._journal.repair("guard of csv_safe", place)
        return clear


def _has_texts(member: Member) -> bool:
    names, _ = split_header(peek_text(member, HEAD_BYTES))
    # A line of one word may begin any text.
    return not _TEXT_COLUMNS.isdisjoint(names) if names[1:] else names == ["content"]


def _tells_own_times(cells: Mapping[str, str]) -> bool:
    return all(_TIME.fullmatch(cells[name]) for name in _TIMES if name in cells)


def _read_own_row(cells: Mapping[str, str]) -> Row[str]:
    """The row of an export; an empty cell stands for null."""
    return Row[str](
        content=cells.get("content", ""),
        id=cells.get("id"),
        namespace=cells.get("namespace"),
        tags=_read_tags(cells.get("tags", "[]")),
        source=cells.get("source"),
        source_ref=cells.get("source_ref"),
        metadata=Raw(cells.get("metadata", "null").encode()),
        created_at=_read_time(cells, "created_at"),
        updated_at=_read_time(cells, "updated_at"),
        expires_at=_read_time(cells, "expires_at"),
    )


def _read_tags(cell: str) -> list[str]:
    try:
        return _TAGS.decode(cell)
    except (msgspec.DecodeError, RecursionError) as fault:
        raise Invalid("tags", "is no JSON list of texts") from fault


def _read_time(cells: Mapping[str, str], name: str) -> int | None:
    return int(cells[name]) if name in cells else None


def _make_fields(cells: Mapping[str, str]) -> Fields:
    """The cells of another table; one that is JSON counts as such, but for the texts."""
    members = {name: _encode(cell) for name, cell in cells.items()}
    members |= {
        name: Raw(msgspec.json.encode(cells[name])) for name in _TEXT_COLUMNS & cells.keys()
    }
    fields = Fields(members)
    for name in ("tags", "categories"):
        if isinstance(names := fields.look(name), str):
            fields.put(name, [tag.strip() for tag in names.split(",") if tag.strip()])
    return fields


def _encode(cell: str) -> Raw:
    if cell.startswith(_JSON_STARTS):
        try:
            msgspec.json.decode(cell)
        except (msgspec.DecodeError, RecursionError):
            pass
        else:
            return Raw(cell.encode())
    return Raw(msgspec.json.encode(cell))


def _holds_surrogate(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return True
    return False
