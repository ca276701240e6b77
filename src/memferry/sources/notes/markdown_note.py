"""One Markdown file as one memory: its body is the content, its front matter the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from memferry.errors import Invalid
from memferry.model.json_faults import translate_message
from memferry.sources.base import Journal, Place, Record
from memferry.sources.chats.conversations import choose_time, encode_metadata
from memferry.sources.reading.mending import mend
from memferry.sources.reading.times import TimeReader

OWN_KEY = "memferry"
"""The front matter by which our own export restores a memory."""
_CREATED = ("created_at", "created", "date", "timestamp")
_UPDATED = ("updated_at", "updated", "modified", "last_modified")
_TAGS = ("tags", "categories")


class OwnFrontMatter(Struct, kw_only=True, forbid_unknown_fields=True):
    """What our own export writes below `memferry`."""

    id: UUID
    namespace: str
    source: str
    source_ref: str | None = None
    metadata: str | None = None
    """JSON text, so that every byte of it comes back."""
    created_at: int
    updated_at: int
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A memory as Markdown has it."""

    place: Place
    key: str
    """What it is called by: the path of its file, or its id in a file of several."""
    fields: Mapping[str, Any]
    body: str
    tag: str | None = None
    """One more tag, such as its folder."""
    namespace: str | None = None


def make_own_record(note: Note) -> Record:
    """Restore a memory of our own export; raises Invalid that names the field."""
    tags = note.fields.get("tags", [])
    if not _are_texts(tags):
        raise Invalid("tags", "expected a list of texts")
    try:
        own = msgspec.convert(note.fields[OWN_KEY], OwnFrontMatter, strict=False)
    except msgspec.ValidationError as fault:
        invalid = translate_message(str(fault))
        raise Invalid(f"{OWN_KEY}.{invalid.field}", invalid.reason) from fault
    return Record(
        place=note.place,
        content=note.body,
        id=own.id,
        namespace=own.namespace,
        tags=tags,
        source=own.source,
        source_ref=own.source_ref,
        metadata=own.metadata,
        created_at=own.created_at,
        updated_at=own.updated_at,
        expires_at=own.expires_at,
    )


def make_foreign_record(note: Note, times: TimeReader, journal: Journal) -> Record:
    """A memory of a file of others: what its front matter says, and nothing it does not."""
    rest = dict(note.fields)
    tags = [tag for name in _TAGS for tag in _take_tags(rest, name)]
    updated_at = _take_time(rest, _UPDATED, note.place, times)
    created_at, time_from = choose_time(_read_generated(rest, note.place, times))
    if created_at is None:
        created_at, time_from = choose_time(_take_time(rest, _CREATED, note.place, times))
    return Record(
        place=note.place,
        content=note.body,
        key=note.key,
        namespace=note.namespace,
        tags=[*dict.fromkeys([*tags, note.tag] if note.tag else tags)],
        source_ref=note.key,
        metadata=_encode_rest(rest, note.place, journal),
        origin=time_from,
        created_at=created_at,
        updated_at=updated_at,
    )


def read_tags(value: Any) -> list[str] | None:
    """Read a list of tags, or text with commas between them; None: it is neither."""
    if isinstance(value, str):
        value = value.split(",") if "," in value or not value.startswith("#") else value.split()
    if not _are_texts(value):
        return None
    tags = (tag.strip().removeprefix("#") for tag in value)
    return [tag for tag in tags if tag]


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _take_tags(rest: dict[str, Any], name: str) -> list[str]:
    """Take tags out of front matter; what is none stays there."""
    tags = read_tags(rest.get(name))
    if tags is None:
        return []
    del rest[name]
    return tags


def _take_time(
    rest: dict[str, Any], names: tuple[str, ...], place: Place, times: TimeReader
) -> int | None:
    """Take the first time in ms out of front matter; what cannot be read stays there."""
    for name in names:
        value = rest.get(name)
        if isinstance(value, str) and (time := times.read(value, place)) is not None:
            del rest[name]
            return time
    return None


def _read_generated(rest: Mapping[str, Any], place: Place, times: TimeReader) -> int | None:
    """When it was written, as OKF tells it; who wrote it stands there too, so it stays."""
    generated = rest.get("generated")
    at = generated.get("at") if isinstance(generated, dict) else None
    return times.read(at, place) if isinstance(at, str) else None


def _encode_rest(rest: Mapping[str, Any], place: Place, journal: Journal) -> str | None:
    if not rest:
        return None
    text, kinds = mend(encode_metadata({"frontmatter": rest}).encode())
    for kind in sorted(kinds):
        journal.repair(kind, place)
    return text.decode()
