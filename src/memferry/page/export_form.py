"""The form of an export: its fields as a person fills them in, and the request that they make."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import msgspec
from msgspec import Raw

from memferry.errors import Invalid
from memferry.exports.request import OPTIONS, ExportRequest
from memferry.formats import ALL_FIELDS, FORMATS
from memferry.http.parameters import list_field, query_field
from memferry.model.export import Export
from memferry.page.json_field import read_json
from memferry.page.moments import read_moment, write_moment

_TEXTS = ("namespace", "tags", "metadata_filter")
_TIMES = ("created_after", "created_before", "updated_after", "updated_before")
_WORDS = ("format", "compression", "encrypt_to")
_FLAGS = ("csv_metadata", "csv_safe")
_MIB = "max_part_mib"
_MIB_BYTES = 1024 * 1024
PREFILLED = (
    *(query_field(name, "string", "as in the form") for name in (*_TEXTS, *_TIMES, *_WORDS, _MIB)),
    *(query_field(name, "string", "checked if it is there") for name in _FLAGS),
    list_field("fields", "the checked ones"),
    list_field("include", "the checked ones"),
    query_field("again", "string", "the id of an export: its request fills the form"),
)
"""The fields by which an address fills the form."""


class FieldReader(Protocol):
    """A query string or a form that was sent."""

    def get(self, name: str) -> str | None:
        """The value of a field; nothing if it is missing."""

    def all(self, name: str) -> list[str]:
        """The values of a field that may be repeated."""


@dataclass(frozen=True, kw_only=True)
class ExportForm:
    """What stands in the form; an empty text is not given."""

    texts: Mapping[str, str]
    fields: tuple[str, ...] = ()
    include: tuple[str, ...] = ()

    @classmethod
    def read(cls, sent: FieldReader) -> Self:
        """Read the fields as they were sent."""
        names = (*_TEXTS, *_TIMES, *_WORDS, *_FLAGS, _MIB)
        texts = {name: (sent.get(name) or "") for name in names}
        texts["format"] = texts["format"] or "json"
        chosen = sent.all("fields")
        return cls(
            texts=texts,
            fields=tuple(name for name in ALL_FIELDS if name in chosen),
            include=tuple(dict.fromkeys(sent.all("include"))),
        )

    @staticmethod
    def can_hold(body: Mapping[str, Any]) -> bool:
        """Whether the form has a field for each member of a body."""
        names = {*_TEXTS, *_TIMES, *_WORDS, *_FLAGS, "fields", "include", "max_part_bytes"}
        return body.keys() <= names

    @classmethod
    def fill(cls, body: Mapping[str, Any]) -> Self:
        """Fill the form so that it makes this body again; raises Invalid if it cannot."""
        if not cls.can_hold(body):
            raise Invalid("again", "that export has filters that this form does not know")
        texts = dict.fromkeys((*_TEXTS, *_TIMES, *_WORDS, *_FLAGS, _MIB), "")
        for name in (*_WORDS, "metadata_filter"):
            value = body.get(name)
            texts[name] = bytes(value).decode() if isinstance(value, Raw) else value or ""
        if (namespace := body.get("namespace")) is not None:
            texts["namespace"] = _write_text(namespace)
        texts["tags"] = _write_tags(body.get("tags") or [])
        texts |= {name: write_moment(body.get(name)) for name in _TIMES}
        texts |= {name: "on" if body.get(name) else "" for name in _FLAGS}
        if part_bytes := body.get("max_part_bytes"):
            texts[_MIB] = f"{part_bytes / _MIB_BYTES:.20g}"
        lists = {name: tuple(body.get(name) or ()) for name in ("fields", "include")}
        return cls(texts=texts, **lists)

    def __getitem__(self, name: str) -> str:
        return self.texts[name]

    @property
    def has_options(self) -> bool:
        """Whether an option beside the format is given."""
        names = ("compression", "encrypt_to", *_FLAGS, _MIB)
        return bool(self.fields or self.include) or any(self.texts[name] for name in names)

    def write_body(self) -> dict[str, Any]:
        """Write the body of the request as the API takes it; raises Invalid with the field."""
        body: dict[str, Any] = {
            "format": self.texts["format"],
            "namespace": _read_text("namespace", self.texts["namespace"]),
            "tags": _read_tags(self.texts["tags"]),
            "metadata_filter": _read_object(self.texts["metadata_filter"]),
            **{name: read_moment(name, self.texts[name]) for name in _TIMES},
            "fields": list(self.fields) or None,
            "include": list(self.include) or None,
            "compression": self.texts["compression"] or None,
            **{name: True if self.texts[name] else None for name in _FLAGS},
            "encrypt_to": self.texts["encrypt_to"].strip() or None,
            "max_part_bytes": _read_mib(self.texts[_MIB]),
        }
        return {name: value for name, value in body.items() if value is not None}

    def make_request(self) -> ExportRequest:
        """Make the request; raises Invalid with the field."""
        return ExportRequest.parse(msgspec.json.encode(self.write_body()))


def show_body(export: Export) -> dict[str, Any]:
    """The body that asks for the same export again."""
    filters = msgspec.json.decode(export.filters, type=dict[str, Raw])
    metadata = filters.pop("metadata_filter", Raw(b"null"))
    values = {name: msgspec.json.decode(value) for name, value in filters.items()}
    options = {
        option.field: export.options[option.field]
        for option in OPTIONS
        if export.options[option.field] != option.default
    }
    if bytes(metadata) != b"null":
        values["metadata_filter"] = metadata
    present = {name: value for name, value in values.items() if value is not None}
    return {"format": export.format, **options, **present}


def list_formats() -> list[tuple[str, str]]:
    """The formats that are installed here, each with one line about it."""
    return [(name, _FORMATS.get(name, "")) for name in FORMATS if FORMATS[name].installed]


def find_fitting(option: str) -> str:
    """The formats that an option goes with, with blanks between."""
    return " ".join(format_.name for format_ in FORMATS.values() if option in format_.variants)


_FORMATS = {
    "json": "one array of memories, for programs",
    "ndjson": "one memory per line; comes back in by an import",
    "csv": "a table, for spreadsheets and databases",
    "paste": "lines to paste into an assistant",
    "markdown": "a document to read, by namespace and thread",
    "html": "the same document for a browser",
    "parquet": "columns, for DuckDB, pandas and polars",
    "okf": "a zip of Markdown files, one per memory",
}


def _read_text(field: str, text: str) -> str | None:
    """A text as it is; one that begins with a quote is a JSON string, which may say anything."""
    if not text.startswith('"'):
        return text or None
    try:
        return msgspec.json.decode(text, type=str)
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        raise Invalid(field, "begins with a quote, and is no JSON string") from fault


def _write_text(text: str) -> str:
    """A text as a field of one line can hold it."""
    is_plain = text.isprintable() and not text.startswith('"')
    return text if is_plain else msgspec.json.encode(text).decode()


def _read_tags(text: str) -> list[str] | None:
    """Tags with commas between them, or a JSON array."""
    text = text.strip()
    if not text.startswith("["):
        return [tag.strip() for tag in text.split(",") if tag.strip()] or None
    try:
        return msgspec.json.decode(text, type=list[str])
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        raise Invalid("tags", "expected tags with commas between, or a JSON array") from fault


def _write_tags(tags: list[str]) -> str:
    is_plain = all(
        tag and tag.isprintable() and tag == tag.strip() and "," not in tag and tag[0] != "["
        for tag in tags
    )
    return ", ".join(tags) if is_plain else msgspec.json.encode(tags).decode()


def _read_object(text: str) -> Raw | None:
    return read_json("metadata_filter", text) if text.strip() else None


def _read_mib(text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return int(float(text) * _MIB_BYTES)
    except (ValueError, OverflowError) as fault:
        raise Invalid("max_part_bytes", "expected a number of MiB") from fault
