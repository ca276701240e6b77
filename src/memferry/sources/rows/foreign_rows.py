"""Memories of other stores as JSON objects: one tolerant mapping of the names that they use."""

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from memferry.errors import Invalid
from memferry.sources.base import Journal, Place, ReadOptions, Record
from memferry.sources.reading.decoding import ElementDecoder
from memferry.sources.reading.elements import Element
from memferry.sources.reading.times import TimeReader
from memferry.sources.rows.fields import TEXT_NAMES, Fields

# By a name that only records of that program have, or several.
_PROGRAMS = (
    ("mem0", {"memory", "hash"}),
    ("mem0", {"memory", "user_id"}),
    ("mem0", {"memory", "categories"}),
    ("openmemory", {"content", "state"}),
    ("langgraph", {"namespace", "key", "value"}),
    ("graphiti", {"group_id"}),
    ("graphiti", {"fact", "source_node_uuid"}),
    ("letta", {"label", "value"}),
    ("letta", {"archive_id"}),
    ("cogx", {"external_system"}),
    ("google-adk", {"content", "author", "timestamp"}),
    ("memory-engine", {"content", "tree"}),
    ("pam", {"content", "content_hash"}),
    ("mif", {"content", "memory_type"}),
    ("open-webui", {"content", "user_id"}),
)
_ID_NAMES = ("id", "uuid", "external_id", "_id", "key")
_TAG_NAMES = ("tags", "categories")
_CREATED_NAMES = (
    "created_at",
    "createdAt",
    "created",
    "timestamp",
    "create_time",
    "saved_at",
    "date",
    "time",
    "valid_at",
)
_UPDATED_NAMES = ("updated_at", "updatedAt", "updated", "modified", "update_time")
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_TEXT = msgspec.json.Decoder(str)


class RowReader:
    """Reads the records of one member."""

    def __init__(self, member: str, options: ReadOptions, journal: Journal, *, reader: str) -> None:
        """`reader` is what a record comes from whose program is not known."""
        self._reader = reader
        self._decoder = ElementDecoder(member, journal, is_strict=True)
        self._times = TimeReader(options.timezone, journal)
        self._journal = journal

    def read(self, element: Element) -> Iterator[Record]:
        """The records of an element: an object, or a mere text."""
        place = self._decoder.locate(element)
        if element.raw.lstrip().startswith(b'"'):
            for text in self._decoder.decode(_TEXT, element):
                yield from self.read_fields(_make_text_fields(text), place, element.name)
            return
        for members in self._decoder.decode(_MEMBERS, element):
            try:
                yield from self.read_fields(Fields(members), place, element.name)
            except (Invalid, msgspec.MsgspecError, RecursionError) as fault:
                self._decoder.reject(element, fault)

    def read_fields(self, fields: Fields, place: Place, list_: str = "") -> Iterator[Record]:
        """The record of an object, unless it is none; raises Invalid for one without a text."""
        program = _find_program(fields) or self._reader
        if fields.look("state") == "deleted":
            self._journal.leave_out("deleted")
            return
        content = fields.take_text()
        if content is None:
            raise Invalid("content", f"no text under {', '.join(TEXT_NAMES)}")
        if not content:
            self._journal.leave_out("empty text")
            return
        yield self._make_record(fields, content, program, place, list_)

    def _make_record(
        self, fields: Fields, content: str, program: str, place: Place, list_: str
    ) -> Record:
        namespace = _take_namespace(fields)
        id_ = fields.take_id(*_ID_NAMES)
        created_at = self._take_time(fields, _CREATED_NAMES, place)
        updated_at = self._take_time(fields, _UPDATED_NAMES, place)
        tags = fields.take_tags(*_TAG_NAMES)
        source_ref = fields.take(str, "source_ref") or id_
        source = fields.take(str, "source") or program
        if embeddings := fields.drop_embeddings():
            self._journal.leave_out("embedding", embeddings)
        metadata, clashes = fields.take_metadata()
        return Record(
            place=place,
            content=content,
            key=id_ or _hash(namespace, content, created_at, list_),
            namespace=namespace,
            tags=tags,
            source=source,
            source_ref=source_ref,
            metadata=metadata,
            origin=_tell_origin(id_, created_at, clashes),
            created_at=created_at,
            updated_at=updated_at,
        )

    def _take_time(self, fields: Fields, names: tuple[str, ...], place: Place) -> int | None:
        """The first of the named times that can be read; one that cannot be stays."""
        for name in names:
            value = fields.look(name)
            if value is not None and (time := self._times.read(value, place)) is not None:
                fields.drop(name)
                return time
        periods = fields.look("temporal")
        period = periods if isinstance(periods, dict) else {}
        values = (period[name] for name in (*names, "start") if period.get(name))
        return self._times.read(next(values, None), place) if names == _CREATED_NAMES else None


def _make_text_fields(text: str) -> Fields:
    return Fields({TEXT_NAMES[0]: Raw(msgspec.json.encode(text))})


def _find_program(fields: Fields) -> str | None:
    names = set(fields.names)
    return next((program for program, own in _PROGRAMS if own <= names), None)


def _take_namespace(fields: Fields) -> str | None:
    """A name, or labels from the outer to the inner one, as in LangGraph."""
    labels = fields.take_tags("namespace")
    return ".".join(labels) or fields.take(str, "namespace", "tree")


def _hash(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


def _tell_origin(
    id_: str | None, created_at: int | None, clashes: dict[str, Any]
) -> dict[str, Any]:
    origin = {
        "id": id_,
        "time_from": None if created_at is None else "record",
        "fields": clashes or None,
    }
    return {name: value for name, value in origin.items() if value is not None}
