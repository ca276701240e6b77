"""Our own exports and those of mnueron, as JSON or NDJSON: ids, times and metadata stay exact."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Generic, LiteralString, TypeVar
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from memferry.sources.base import Bundle, Journal, Member, Place, ReadOptions, Record
from memferry.sources.reading.decoding import ElementDecoder
from memferry.sources.reading.elements import (
    HEAD_BYTES,
    Element,
    find_first_elements,
    find_layout,
    peek_names,
    split_elements,
)
from memferry.sources.reading.text import peek_text

FIELDS = (
    "id",
    "content",
    "namespace",
    "tags",
    "source",
    "source_ref",
    "metadata",
    "created_at",
    "updated_at",
    "expires_at",
)
"""The fields of a memory object, in their order."""
_WHOLE = frozenset(FIELDS) - {"expires_at"}
"""Those that every whole row has."""
_NAMES = frozenset(FIELDS) | {"history"}
_LISTS = ("memories", "chunks")
"""The lists of memories in answers of the API."""
_STARTS = {
    "id": rb'"',
    "content": rb'"',
    "namespace": rb'["n]',
    "tags": rb"[\[n]",
    "metadata": rb"[{n]",
    "created_at": rb"\d+\s*(?:[,}]|\Z)|null",
    "updated_at": rb"\d+\s*(?:[,}]|\Z)|null",
    "expires_at": rb"\d+\s*(?:[,}]|\Z)|null",
    "history": rb"[\[n]",
}
# Of a row that lacks some of the fields: others write seconds.
_MILLISECONDS = re.compile(rb"\d{11}")
# An export without memories.
_EMPTY_LIST = re.compile(rb"\s*\[\s*\]\s*")
_Id = TypeVar("_Id", UUID, str)


class Row(Struct, Generic[_Id], forbid_unknown_fields=True):
    """A memory object of an export; with `fields`, an export has some of them alone."""

    content: str
    id: _Id | None = None
    namespace: str | None = None
    tags: list[str] | None = None
    source: str | None = None
    source_ref: str | None = None
    metadata: Raw = Raw(b"null")
    created_at: int | None = None
    updated_at: int | None = None
    expires_at: int | None = None
    history: Raw = Raw(b"null")


_OWN_ROW = msgspec.json.Decoder(Row[UUID])
# An id of mnueron may be any text.
_ROW = msgspec.json.Decoder(Row[str])


class Memferry:
    """JSON and NDJSON with the fields of our memory objects, all or some, and no others."""

    name: LiteralString = "memferry"

    def recognises(self, bundle: Bundle) -> bool:
        """Whether a member begins with one of our rows: an id, and times in milliseconds."""
        return any(_begins_with_row(member) for member in bundle.members)

    def read(self, bundle: Bundle, _: ReadOptions, journal: Journal) -> Iterator[Record]:
        """Yield the rows as they are."""
        for member in bundle.members:
            yield from _read_member(member, journal)


def make_record(row: Row[UUID] | Row[str], place: Place) -> Record:
    """The record of a row; where its id is no UUID, the memory's id is derived from it."""
    id_, key = _read_id(row)
    metadata, history = str(row.metadata, "utf-8"), str(row.history, "utf-8")
    return Record(
        place=place,
        content=row.content,
        id=id_,
        key=key,
        namespace=row.namespace,
        tags=row.tags or (),
        source=row.source,
        source_ref=row.source_ref,
        metadata=None if metadata == "null" else metadata,
        # A row that lacks id or time is not restored as it was, and says so.
        origin=_tell_origin(row) if key is not None or row.created_at is None else None,
        created_at=row.created_at,
        updated_at=row.updated_at,
        expires_at=row.expires_at,
        history=None if history == "null" else history,
    )


def _begins_with_row(member: Member) -> bool:
    head = peek_text(member, HEAD_BYTES)
    if find_layout(head) is None:
        return False
    if _EMPTY_LIST.fullmatch(head):
        return True
    return any(map(_is_row, find_first_elements(head, _LISTS)))


def _is_row(text: bytes) -> bool:
    names = peek_names(text)
    return (
        {"id", "content"} <= names.keys() <= _NAMES
        and all(re.match(start, names[name]) for name, start in _STARTS.items() if name in names)
        and (names.keys() >= _WHOLE or _tells_milliseconds(names))
    )


def _tells_milliseconds(names: Mapping[str, bytes]) -> bool:
    created_at = names.get("created_at")
    return created_at is None or _MILLISECONDS.match(created_at) is not None


def _read_member(member: Member, journal: Journal) -> Iterator[Record]:
    decoder = ElementDecoder(member.name, journal)
    for element in split_elements(member, journal, _LISTS):
        if element.is_item and element.name in {"", *_LISTS}:
            yield from _read_element(element, decoder)
        elif element.is_item:
            journal.leave_out(f"item of {element.name}")


def _read_element(element: Element, decoder: ElementDecoder) -> Iterator[Record]:
    rows = decoder.decode_cleanly(_OWN_ROW, element) or decoder.decode(_ROW, element)
    for row in rows:
        yield make_record(row, decoder.locate(element))


def _read_id(row: Row[UUID] | Row[str]) -> tuple[UUID | None, str | None]:
    """The id of a row, or the key that stands for it."""
    if isinstance(row.id, UUID):
        return row.id, None
    if row.id:
        with suppress(ValueError):
            return UUID(row.id), None
        return None, row.id
    return None, hashlib.sha256(f"{row.created_at}\0{row.content}".encode()).hexdigest()


def _tell_origin(row: Row[UUID] | Row[str]) -> dict[str, str]:
    origin = {} if row.created_at is None else {"time_from": "record"}
    return origin if row.id is None else {"id": str(row.id), **origin}
