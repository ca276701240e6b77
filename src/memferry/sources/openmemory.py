"""The backup of OpenMemory: a zip that holds the same memories twice."""

from collections.abc import Iterator
from typing import LiteralString

from memferry.sources.base import Bundle, Journal, Member, ReadOptions, Record
from memferry.sources.generic_json import read_rows
from memferry.sources.reading.elements import (
    HEAD_BYTES,
    find_first_element,
    find_layout,
    peek_names,
)
from memferry.sources.reading.text import peek_text

_LINE_NAMES = frozenset(["id", "content", "state", "app", "categories"])
_DOCUMENT_NAMES = frozenset(["user", "apps", "memories"])
_LISTS = ("memories",)


class OpenMemoryBackup:
    """`memories.jsonl.gz`, or `memories.json` where the former is missing."""

    name: LiteralString = "openmemory"

    def recognises(self, bundle: Bundle) -> bool:
        """Whether a member is one of the two."""
        return any(_is_lines(member) or _is_document(member) for member in bundle.members)

    def read(self, bundle: Bundle, options: ReadOptions, journal: Journal) -> Iterator[Record]:
        """Yield the memories; those that were deleted are left out."""
        members = [member for member in bundle.members if _is_lines(member)]
        members = members or [member for member in bundle.members if _is_document(member)]
        if others := len(bundle.members) - len(members):
            journal.leave_out("file that repeats the memories, or holds none", others)
        for member in members:
            yield from read_rows(member, options, journal, _LISTS)


def _is_lines(member: Member) -> bool:
    head = peek_text(member, HEAD_BYTES)
    names = peek_names(find_first_element(head)) if find_layout(head) else {}
    return names.keys() >= _LINE_NAMES


def _is_document(member: Member) -> bool:
    head = peek_text(member, HEAD_BYTES)
    names = peek_names(head) if find_layout(head) else {}
    return names.keys() >= _DOCUMENT_NAMES
