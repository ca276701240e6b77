"""Newline-delimited JSON: one memory per line, UTF-8, no header, no footer."""

from typing import LiteralString

from memferry.formats.base import TextFormat
from memferry.model.copy import CopyOptions

# What row_to_json(memory) says, byte by byte, at less than three quarters of its cost: that one
# looks up the type of every column and escapes its name, for each row anew.
MEMBERS: LiteralString = (
    """'{"id":"', id, '","content":', as_json(content), ',"namespace":', as_json(namespace), """
    """',"tags":', array_to_json(tags), ',"source":', as_json(source), """
    """',"source_ref":', coalesce(as_json(source_ref), 'null'), """
    """',"metadata":', coalesce(metadata, 'null'), ',"created_at":', created_at, """
    """',"updated_at":', updated_at"""
)


class Ndjson(TextFormat):
    """PostgreSQL renders each line; a file cut at any newline is still valid.

    JSON text holds no raw control characters (RFC 8259, section 7), so with U+0001 and U+0002 as
    quote and delimiter COPY has nothing to escape, and a newline always ends a row.
    """

    name = "ndjson"
    extension = "ndjson"
    media_type = "application/x-ndjson"
    columns = f"concat({MEMBERS}, '}}')"
    joins = True
    copy = CopyOptions(format="csv", quote="\x01", delimiter="\x02")
    record_end = b"\n"
    separator = b"\n"
    ends_with_separator = True
