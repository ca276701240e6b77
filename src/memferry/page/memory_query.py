"""The query of the list of memories: the fields of its form, and the same as the API takes it."""

from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

import msgspec

from memferry.errors import Invalid
from memferry.http.parameters import query_field
from memferry.http.reading import Query
from memferry.page.json_field import read_json
from memferry.page.twins import write_twin

FIELDS = (
    query_field("q", "string", "words, or beginnings of words"),
    query_field("namespace", "string", "only this namespace"),
    query_field("tags", "string", "all of these, with commas between; or a JSON array"),
    query_field("metadata", "string", "a JSON object that the metadata contains"),
    query_field("from", "string", "a day, UTC"),
    query_field("to", "string", "a day, UTC"),
    query_field("cursor", "string", "where an earlier page ended"),
)
_DAY_MS = 24 * 3600 * 1000
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True)
class MemoryQuery:
    """The fields of the form; an empty one is not given."""

    words: str = ""
    namespace: str = ""
    tags: str = ""
    metadata: str = ""
    first_day: str = ""
    last_day: str = ""
    cursor: str = ""

    @classmethod
    def read(cls, query: Query) -> "MemoryQuery":
        """Read the fields of a query string."""
        return cls(
            words=(query.get("q") or "").strip(),
            namespace=query.get("namespace") or "",
            tags=(query.get("tags") or "").strip(),
            metadata=(query.get("metadata") or "").strip(),
            first_day=query.get("from") or "",
            last_day=query.get("to") or "",
            cursor=query.get("cursor") or "",
        )

    @property
    def has_filters(self) -> bool:
        """Whether any filter is given, beside words and namespace."""
        return bool(self.tags or self.metadata or self.first_day or self.last_day)

    @property
    def is_empty(self) -> bool:
        """Whether it asks for all memories."""
        return replace(self, cursor="") == MemoryQuery()

    @property
    def address(self) -> str:
        """The address of its screen."""
        fields = {
            "q": self.words,
            "namespace": self.namespace,
            "tags": self.tags,
            "metadata": self.metadata,
            "from": self.first_day,
            "to": self.last_day,
            "cursor": self.cursor,
        }
        query = urlencode({name: value for name, value in fields.items() if value})
        return "/memories" + (f"?{query}" if query else "")

    def turn_page(self, cursor: str) -> "MemoryQuery":
        """The same query at another page; the first one for an empty cursor."""
        return replace(self, cursor=cursor)

    def narrow(self, *, namespace: str = "", tag: str = "") -> "MemoryQuery":
        """The same query within a namespace, or with a tag, from its first page on."""
        if namespace:
            return replace(self, namespace=namespace, cursor="")
        return replace(self, tags=_write_tag(tag), cursor="")

    def write_api_query(self) -> Query:
        """Write it as the API takes it; raises Invalid with the field."""
        fields = {
            "q": self.words,
            "prefix": "true" if self.words else "",
            "namespace": self.namespace,
            "tags": _read_tags(self.tags),
            "metadata_filter": _read_metadata(self.metadata),
            "created_after": _read_day("created_after", self.first_day, last=False),
            "created_before": _read_day("created_before", self.last_day, last=True),
            "cursor": self.cursor,
        }
        return Query(tuple((name, value) for name, value in fields.items() if value))

    def write_twin(self) -> str:
        """The address of the same as JSON."""
        return write_twin("/memories", **dict(self.write_api_query().pairs))


def _read_tags(text: str) -> str:
    """Tags with commas between them, as a JSON array; an array as it is."""
    if not text or text.startswith("["):
        return text
    tags = [tag.strip() for tag in text.split(",")]
    return msgspec.json.encode([tag for tag in tags if tag]).decode()


def _write_tag(tag: str) -> str:
    """A tag as it stands in the form: a JSON array if it could not be read as it is."""
    is_plain = tag == tag.strip() and "," not in tag and not tag.startswith("[")
    return tag if is_plain else msgspec.json.encode([tag]).decode()


def _read_metadata(text: str) -> str:
    """The JSON text as it is; what is being typed may not be whole yet."""
    return bytes(read_json("metadata_filter", text)).decode() if text else ""


def _read_day(field: str, text: str, *, last: bool) -> str:
    """The first or the last millisecond of a day, in UTC."""
    if not text:
        return ""
    try:
        day = date.fromisoformat(text)
    except ValueError as fault:
        raise Invalid(field, "expected a day as YYYY-MM-DD") from fault
    start = (day - _EPOCH).days * _DAY_MS
    return str(max(start + _DAY_MS - 1 if last else start, 0))
