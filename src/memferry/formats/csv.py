r"""CSV (RFC 4180): CRLF between records, a header, no byte order mark.

PostgreSQL quotes the cells; the last column marks the end of each record. COPY ends a record with a
bare LF, which may also stand inside a quoted cell. The last column is a dot that is always quoted,
so a record ends with `,"."` and LF. Inside a cell that sequence cannot occur: there every quote is
doubled, so a single quote after a comma can only open a cell, and one before LF can only close the
last.
"""

from memferry.formats.base import TextFormat
from memferry.model.csv_copy import CsvCopy

CSV = TextFormat(
    name="csv",
    extension="csv",
    media_type="text/csv; charset=utf-8; header=present",
    columns=(
        "id, content, namespace, to_json(tags) AS tags, source, "
        "coalesce(source_ref, '') AS source_ref, created_at, updated_at, '.' AS record_end"
    ),
    # No cell is NULL. Were the NULL string empty, COPY would quote empty cells to tell them apart.
    csv=CsvCopy(null="\x01\x02\x03\x04", force_quote=("record_end",), record_end=b',"."\n'),
    head=b"id,content,namespace,tags,source,source_ref,created_at,updated_at\r\n",
    separator=b"\r\n",
    leaves_out="The metadata: CSV has eight columns.",
)
