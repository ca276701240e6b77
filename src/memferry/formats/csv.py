r"""CSV (RFC 4180): CRLF between records, a header, no byte order mark.

PostgreSQL quotes the cells; the last column marks the end of each record. COPY ends a record with a
bare LF, which may also stand inside a quoted cell. The last column is a dot that is always quoted,
so a record ends with `,"."` and LF. Inside a cell that sequence cannot occur: there every quote is
doubled, so a single quote after a comma can only open a cell, and one before LF can only close the
last.
"""

from collections.abc import Sequence
from typing import LiteralString

from memferry.errors import Invalid
from memferry.formats.base import TextFormat
from memferry.formats.csv_safe import guard
from memferry.formats.record_ends import CellEnds
from memferry.formats.variant import ALL_FIELDS, FIELDS, Variant, describe_missing
from memferry.model.csv_copy import CsvCopy

# No cell is NULL. Were the NULL string empty, COPY would quote empty cells to tell them apart.
_TEXTS: dict[LiteralString, LiteralString] = {
    "content": "content",
    "namespace": "namespace",
    "tags": "to_json(tags)",
    "source": "source",
    "source_ref": "coalesce(source_ref, '')",
    "metadata": "coalesce(metadata::text, '')",
}
_NUMBERS: dict[LiteralString, LiteralString] = {"expires_at": "coalesce(expires_at::text, '')"}


def _choose_columns(variant: Variant) -> Sequence[LiteralString]:
    """The header: metadata stand last, and only where they are asked for.

    Raises Invalid that names `csv_metadata` if `fields` leaves the metadata out.
    """
    names = set(variant.fields or FIELDS)
    if variant.fields and variant.csv_metadata and "metadata" not in names:
        raise Invalid("csv_metadata", "fields names no metadata; add it there, or leave this out")
    columns = [name for name in ALL_FIELDS if name in names - {"metadata"}]
    asked_for = variant.csv_metadata or "metadata" in variant.fields
    return [*columns, "metadata"] if asked_for else columns


def _render_cell(name: LiteralString, *, safe: bool) -> LiteralString:
    value = (_TEXTS | _NUMBERS).get(name, name)
    return f"{guard(f'{value}::text') if safe and name in _TEXTS else value} AS {name}"


def _choose_quoted(columns: Sequence[LiteralString], *, safe: bool) -> Sequence[LiteralString]:
    """The columns whose cells are always quoted."""
    if safe:
        # A separator in a text must start no cell for any reader.
        return [name for name in columns if name in _TEXTS]
    # Readers pass over an empty line: an empty cell that is alone in its line must show.
    return columns if len(columns) == 1 else ()


def _make_csv(variant: Variant) -> TextFormat:
    columns, safe = _choose_columns(variant), variant.csv_safe
    cells = [_render_cell(name, safe=safe) for name in columns]
    return TextFormat(
        name="csv",
        extension="csv",
        media_type="text/csv; charset=utf-8; header=present",
        columns=", ".join([*cells, "'.' AS record_end"]),
        csv=CsvCopy(
            null="\x01\x02\x03\x04",
            force_quote=(*_choose_quoted(columns, safe=safe), "record_end"),
            record_end=b',"."\n',
        ),
        head=",".join(columns).encode() + b"\r\n",
        separator=b"\r\n",
        ends=CellEnds(),
        leaves_out=describe_missing(columns),
        variants=frozenset({"fields", "csv_metadata", "csv_safe"}),
        make_variant=_make_csv,
    )


CSV = _make_csv(Variant())
