"""The file of the MCP reference memory server: lines of entities, and of relations between them."""

import hashlib
from collections.abc import Iterator
from typing import LiteralString

import msgspec
from msgspec import Raw

from memferry.sources.base import Bundle, Journal, Member, Place, ReadOptions, Record
from memferry.sources.reading.decoding import ElementDecoder
from memferry.sources.reading.elements import (
    HEAD_BYTES,
    find_first_elements,
    find_layout,
    peek_names,
    split_elements,
)
from memferry.sources.reading.text import peek_text
from memferry.sources.rows.fields import Fields

# Decoded, it may take 25 times.
_MOST_BYTES = 8 * 1024 * 1024
# The lines as one object, as the server's tool `read_graph` answers.
_LISTS = ("entities", "relations")
_ENTITY = frozenset(["name", "entityType"])
_RELATION = frozenset(["from", "to", "relationType"])
_LINE = msgspec.json.Decoder(dict[str, Raw])


class McpMemory:
    """`memory.jsonl`, or its lines as a list."""

    name: LiteralString = "mcp"

    def recognises(self, bundle: Bundle) -> bool:
        """Whether a member begins with an entity or a relation."""
        return any(_begins_with_graph(member) for member in bundle.members)

    def read(self, bundle: Bundle, _: ReadOptions, journal: Journal) -> Iterator[Record]:
        """Yield a memory per observation, and one per relation; the file knows no times."""
        for member in bundle.members:
            decoder = ElementDecoder(member.name, journal, is_strict=True)
            for element in split_elements(member, journal, _LISTS, _MOST_BYTES):
                for line in decoder.decode(_LINE, element):
                    yield from _read_line(Fields(line), decoder.locate(element), journal)


def _begins_with_graph(member: Member) -> bool:
    head = peek_text(member, HEAD_BYTES)
    if find_layout(head) is None:
        return False
    return any(map(_is_line, find_first_elements(head, _LISTS)))


def _is_line(text: bytes) -> bool:
    names = peek_names(text).keys()
    return names >= _ENTITY or names >= _RELATION


def _read_line(fields: Fields, place: Place, journal: Journal) -> Iterator[Record]:
    fields.take(str, "type")
    if fields.has_texts(*_RELATION):
        yield _make_relation(fields, place)
    elif fields.has_texts(*_ENTITY):
        yield from _make_observations(fields, place, journal)
    else:
        journal.reject(place, "is neither an entity nor a relation of MCP's memory server")


def _make_observations(fields: Fields, place: Place, journal: Journal) -> Iterator[Record]:
    observations = fields.take(list, "observations") or []
    if not observations:
        journal.leave_out("entity without observations")
    name, kind = fields.look("name"), fields.look("entityType")
    metadata, _ = fields.take_metadata()
    for observation in observations:
        if isinstance(observation, str):
            tags = [f"entity:{name}", f"type:{kind}"]
            yield _make_record(place, observation, ("entity", name), tags, metadata)
        else:
            journal.reject(place, "an observation is no text")


def _make_relation(fields: Fields, place: Place) -> Record:
    words = [str(fields.look(name)) for name in ("from", "relationType", "to")]
    metadata, _ = fields.take_metadata()
    tags = list(dict.fromkeys((f"entity:{words[0]}", f"entity:{words[2]}")))
    return _make_record(place, " ".join(words), ("relation", *words), tags, metadata)


def _make_record(
    place: Place, content: str, key: tuple[str, ...], tags: list[str], metadata: str | None
) -> Record:
    digest = hashlib.sha256("\0".join((*key, content)).encode()).hexdigest()
    return Record(place=place, content=content, key=digest, tags=tags, metadata=metadata, origin={})
