"""JSON (RFC 8259): one array of memory objects; `[]` when there are none."""

from memferry.formats.ndjson import Ndjson


class Json(Ndjson):
    """The lines of NDJSON with commas between them, in brackets."""

    name = "json"
    extension = "json"
    media_type = "application/json"
    head = b"["
    separator = b",\n"
    ends_with_separator = False
    tail = b"]"
