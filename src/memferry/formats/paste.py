r"""Lines that assistants take in as memories: `[2026-01-15] - Prefers ferries to bridges`.

A line that begins with two blanks goes on with the entry before it: two blanks stand after each
line break of a content. A reader that takes them away again has the content to the byte, and no
line of a content can pass for an entry, whatever the reader takes for a line break.
"""

from typing import LiteralString

from memferry.formats.base import TextFormat
from memferry.formats.record_ends import EntryEnds
from memferry.formats.variant import describe_missing

# All that Python's str.splitlines knows, which is what Unicode knows (UAX 14) and three more.
_BREAKS: LiteralString = r"[\n\v\f\r\u001C-\u001E\u0085\u2028\u2029]"
_DATE: LiteralString = "to_char(to_timestamp(created_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
_CONTENT: LiteralString = (
    f"CASE WHEN content ~ '{_BREAKS}' "
    rf"THEN regexp_replace(content, '(\r\n|{_BREAKS})', '\1  ', 'g') ELSE content END"
)

PASTE = TextFormat(
    name="paste",
    extension="txt",
    media_type="text/plain; charset=utf-8",
    columns=f"concat('[', {_DATE}, '] - ', {_CONTENT})",
    separator=b"\n",
    ends_with_separator=True,
    ends=EntryEnds(),
    leaves_out=(
        f"{describe_missing(('content', 'created_at'))} Of created_at it holds the day, in UTC."
    ),
)
