"""What documents for people have in common: rows by namespace and thread, times that are read."""

from typing import LiteralString

THREAD: LiteralString = (
    "coalesce(CASE WHEN json_typeof(metadata -> 'parent_ref') = 'string' "
    "THEN metadata ->> 'parent_ref' END, source_ref)"
)
"""The SQL expression of what the rows of a thread share, as export_by_thread.sql has it."""
HEADING: LiteralString = (
    "coalesce(CASE WHEN json_typeof(metadata -> 'title') = 'string' "
    f"THEN nullif(metadata ->> 'title', '') END, {THREAD})"
)
"""The SQL expression of what a thread is called, by its first row: its title, if it has one."""
ISO: LiteralString = 'YYYY-MM-DD"T"HH24:MI:SS'
"""The pattern of ISO 8601, without the zone."""


def join(*parts: LiteralString) -> LiteralString:
    """The SQL expression of texts one after the other; null is no text."""
    return f"concat({', '.join(parts)})"


def join_if(condition: LiteralString, *parts: LiteralString) -> LiteralString:
    """The SQL expression of texts one after the other where a condition holds, else of null."""
    return f"CASE WHEN {condition} THEN {join(*parts)} END"


def render_time(column: LiteralString, pattern: LiteralString) -> LiteralString:
    """The SQL expression of a time in UTC, cut to seconds, by a pattern of to_char."""
    return f"to_char(to_timestamp({column} / 1000) AT TIME ZONE 'UTC', '{pattern}')"
