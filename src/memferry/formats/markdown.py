r"""Markdown (CommonMark 0.31): one document to read, by namespace and thread.

No text of a memory is read as markup. A content of one line is a quote, whose marks have a
backslash before them, as those in headings and details have. A content of several lines stands in a
fence that is longer than every run of backticks in it, to the byte.
"""

import re
from dataclasses import replace
from typing import LiteralString

from memferry.formats.base import Order, TextFormat
from memferry.formats.document import HEADING, ISO, join, join_if, render_time
from memferry.formats.document_parts import DocumentCut
from memferry.formats.variant import FIELDS, describe_missing

_CONTROLS: LiteralString = r"\u0001-\u001F\u007F-\u009F\u2028\u2029"
# What starts markup in CommonMark, in its usual extensions, and at the start of a line.
_MARKS: LiteralString = r"[\\`*_\[\]<>&~|$^{}#]|=(?==)|%(?=%)|^[-+=:]"
_FENCE: LiteralString = (
    "CASE WHEN position('```' IN content) = 0 THEN '```' ELSE repeat('`', 1 + "
    "(SELECT max(length(run[1])) FROM regexp_matches(content, '`+', 'g') AS run)) END"
)


def _escape(text: LiteralString) -> LiteralString:
    """The SQL expression of a text within a line; control characters and line breaks are blanks."""
    line: LiteralString = f"regexp_replace({text}, '[{_CONTROLS}]+', ' ', 'g')"
    marked: LiteralString = rf"regexp_replace({line}, '({_MARKS})', '\\\1', 'g')"
    return rf"regexp_replace({marked}, '^([0-9]+)([.)])', '\1\\\2')"


# Blanks at its start could make a quote a block of code.
_CONTENT: LiteralString = (
    f"CASE WHEN content !~ '^ |[{_CONTROLS}]' THEN concat('> ', {_escape('content')}) "
    rf"ELSE concat({_FENCE}, E'\n', content, E'\n', {_FENCE}) END"
)

_WHOLE = TextFormat(
    name="markdown",
    extension="md",
    media_type="text/markdown; charset=utf-8",
    order=Order.THREADS,
    columns=join(
        join_if("begins_namespace", "'## '", _escape("namespace"), r"E'\n\n'"),
        join_if("in_thread AND begins_thread", "'### '", _escape(HEADING), r"E'\n\n'"),
        "CASE WHEN in_thread THEN '#### ' ELSE '### ' END",
        render_time("created_at", ISO),
        r"E'Z\n\n'",
        _CONTENT,
        r"E'\n\nSource: '",
        _escape("source"),
        join_if("source_ref <> ''", "', '", _escape("source_ref")),
        join_if("tags <> '{}'", r"E'  \nTags: '", _escape("array_to_string(tags, ', ')")),
        join_if(
            "updated_at <> created_at", r"E'  \nChanged: '", render_time("updated_at", ISO), "'Z'"
        ),
    ),
    head=b"# Memories\n\n",
    separator=b"\n\n",
    tail=b"\n",
    leaves_out=f"{describe_missing(set(FIELDS) - {'id', 'metadata'})} Times are cut to seconds.",
)
# A record outside of a thread begins with three marks, one within it with four.
_HEADINGS = re.compile(rb"(## [^\n]*\n\n)?(### [^\n]*\n\n(?=#### ))?(####? )")


class MarkdownOutline:
    """The headings that a record stands below."""

    def __init__(self) -> None:
        self._namespace = self._thread = b""

    def reopen(self, record: bytes) -> bytes:
        """Its namespace and thread again, as far as it does not bring their headings itself."""
        namespace, thread, level = _read_headings(record)
        if namespace:
            return b""
        return self._namespace if thread or level == b"### " else self._namespace + self._thread

    def enter(self, record: bytes) -> None:
        """Note its headings."""
        namespace, thread, level = _read_headings(record)
        self._namespace = namespace or self._namespace
        self._thread = b"" if level == b"### " else thread or self._thread

    def close(self) -> bytes:
        """Headings have no end."""
        return b""


def _read_headings(record: bytes) -> tuple[bytes, bytes, bytes]:
    """The headings of the namespace and of the thread, and the marks of the record's own."""
    headings = _HEADINGS.match(record)
    if headings is None:
        raise AssertionError("a record without a heading")
    return headings[1] or b"", headings[2] or b"", headings[3]


MARKDOWN = replace(_WHOLE, cut=DocumentCut(_WHOLE, MarkdownOutline))
