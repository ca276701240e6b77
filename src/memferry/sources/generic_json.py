"""JSON of other memory stores: mem0, LangGraph, Letta, Graphiti, MIF, OMI, PAM, COGX and others.

A list, lines, or an object with a list under a name that such stores use.
"""

import re
from collections.abc import Iterator, Mapping
from typing import LiteralString

from memferry.sources.base import Bundle, Journal, Member, ReadOptions, Record
from memferry.sources.reading.elements import (
    HEAD_BYTES,
    Element,
    find_first_elements,
    find_layout,
    peek_names,
    split_elements,
)
from memferry.sources.reading.text import peek_text
from memferry.sources.rows.fields import TEXT_NAMES
from memferry.sources.rows.foreign_rows import RowReader

LISTS = (
    "memories",
    "results",
    "items",
    "data",
    "documents",
    "blocks",  # Letta
    "core_memory",  # Letta, before agents could share blocks
    "episodes",  # Graphiti
    "entities",
    "edges",
)
"""Names of lists that hold memories."""
# A content of 1 MiB with all of it escaped, and as much around it. Decoded, it may take 25 times.
_MOST_BYTES = 8 * 1024 * 1024
_NEXT_NAMES = frozenset(["next", "next_cursor", "next_page"])
_EMPTY = re.compile(rb"\[\s*\]")
_ITEM_NAMES = frozenset([*TEXT_NAMES, "parts"])


class GenericJson:
    """Any JSON whose objects have a text under one of the names that stores use."""

    name: LiteralString = "json"

    def recognises(self, bundle: Bundle) -> bool:
        """Whether a member begins with an object that has a text, or with a list of texts."""
        return any(_begins_with_text(member) for member in bundle.members)

    def read(self, bundle: Bundle, options: ReadOptions, journal: Journal) -> Iterator[Record]:
        """Yield a record per object; what it knows no field for goes into metadata."""
        for member in bundle.members:
            yield from read_rows(member, options, journal)


def read_rows(
    member: Member, options: ReadOptions, journal: Journal, lists: tuple[str, ...] = LISTS
) -> Iterator[Record]:
    """The records of one member; of an object, what is in its lists of those names."""
    reader = RowReader(member.name, options, journal, reader="json")
    for element in split_elements(member, journal, lists, _MOST_BYTES):
        if element.is_item and element.name in {"", *lists}:
            yield from reader.read(element)
        else:
            note_left_out(element, journal)


def note_left_out(element: Element, journal: Journal) -> None:
    """Take note of an element beside the memories: of what it holds, nothing is kept."""
    if element.is_item:
        journal.leave_out(f"item of {element.name!r}")
    elif element.name in _NEXT_NAMES and element.raw not in {b"null", b'""'}:
        journal.leave_out("next page, which is not in the file")


def has_empty_list(names: Mapping[str, bytes], lists: tuple[str, ...] = LISTS) -> bool:
    """Whether an object holds a list for memories that is empty."""
    return any(_EMPTY.match(names[name]) for name in lists if name in names)


def _begins_with_text(member: Member) -> bool:
    head = peek_text(member, HEAD_BYTES)
    if find_layout(head) is None:
        return False
    return has_empty_list(peek_names(head)) or any(
        map(_holds_text, find_first_elements(head, LISTS))
    )


def _holds_text(element: bytes) -> bool:
    names = peek_names(element)
    return element.startswith(b'"') or any(
        _is_text(names[name]) for name in TEXT_NAMES if name in names
    )


def _is_text(value: bytes) -> bool:
    """Whether a value is text, or seems to have one inside."""
    inner = value[1:].lstrip() if value.startswith(b"[") else value
    return value.startswith(b'"') or not _ITEM_NAMES.isdisjoint(peek_names(inner))
