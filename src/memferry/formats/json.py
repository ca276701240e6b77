"""JSON (RFC 8259): one array of memory objects; `[]` when there are none."""

from memferry.formats.base import TextFormat
from memferry.formats.ndjson import MEMORY_OBJECT

JSON = TextFormat(
    name="json",
    extension="json",
    media_type="application/json",
    columns=MEMORY_OBJECT,
    head=b"[",
    separator=b",\n",
    tail=b"]",
)
"""The lines of NDJSON with commas between them, in brackets."""
