"""JSON (RFC 8259): one array of memory objects; `[]` when there are none."""

from memferry.formats.ndjson import MEMBERS, Ndjson


class Json(Ndjson):
    """The lines of NDJSON with commas between them, in brackets."""

    name = "json"
    extension = "json"
    media_type = "application/json"
    # With its comma each row comes as it stands in the file.
    columns = f"concat({MEMBERS}, '}},')"
    record_end = b",\n"
    head = b"["
    separator = b",\n"
    ends_with_separator = False
    tail = b"]"
