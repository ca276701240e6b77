"""Newline-delimited JSON: one memory per line, UTF-8, no header, no footer."""

from memferry.formats.base import TextFormat
from memferry.model.copy import CopyOptions


class Ndjson(TextFormat):
    """PostgreSQL renders each line; a file cut at any newline is still valid.

    JSON text holds no raw control characters (RFC 8259, section 7), so with U+0001 and U+0002 as
    quote and delimiter COPY has nothing to escape, and a newline always ends a row.
    """

    name = "ndjson"
    extension = "ndjson"
    media_type = "application/x-ndjson"
    columns = "row_to_json(memory)"
    copy = CopyOptions(format="csv", quote="\x01", delimiter="\x02")
    record_end = b"\n"
    separator = b"\n"
    ends_with_separator = True
