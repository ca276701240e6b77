"""A Markdown file of many memories, each with its own front matter: mem0's plugin writes them."""

from collections.abc import Iterator, Mapping
from typing import Any

from memferry.sources.base import Journal, Member, Place
from memferry.sources.notes.markdown_note import Note
from memferry.sources.reading.front_matter import UnreadableFrontMatter, parse_front_matter
from memferry.sources.reading.text_lines import TextBlock, TextLine, read_lines

_FENCE = "---"
_NEEDED = frozenset(["id", "created_at"])
_TYPICAL = frozenset(["type", "confidence", "branch", "files", "categories"])


def has_blocks(fields: Mapping[str, Any]) -> bool:
    """Whether front matter is that of one memory among several."""
    return fields.keys() >= _NEEDED and bool(fields.keys() & _TYPICAL)


def cut_blocks(member: Member, journal: Journal) -> Iterator[Note]:
    """Yield the memories of a file, one after the other.

    A `---` inside of a memory ends it only if front matter with an id follows.
    """
    fields: Mapping[str, Any] | None = None
    body = TextBlock(Place(member.name, "line 1"))
    is_body_next = False
    for section in _cut_sections(read_lines(member, journal), body.place):
        front = None if is_body_next else _read_front(section)
        if front is None:
            if not is_body_next:
                body.add(_FENCE)
            body.extend(section)
            is_body_next = False
        else:
            yield from _make_note(fields, body, journal)
            fields, body, is_body_next = front, TextBlock(section.place), True
    yield from _make_note(fields, body, journal)


def _cut_sections(lines: Iterator[TextLine], start: Place) -> Iterator[TextBlock]:
    """Yield what stands between `---` lines; what stands before the first only if there is text."""
    section = TextBlock(start)
    for line in lines:
        if line.text.rstrip() != _FENCE:
            section.add(line.text, line.fault)
        else:
            if section.place is not start or section.text.strip():
                yield section
            section = TextBlock(line.place)
    yield section


def _read_front(section: TextBlock) -> dict[str, Any] | None:
    """The front matter that a section is; None if it is something else."""
    if section.fault:
        return None
    try:
        fields = parse_front_matter(section.text)
    except UnreadableFrontMatter:
        return None
    return fields if isinstance(fields.get("id"), str) and fields.keys() >= _NEEDED else None


def _make_note(
    fields: Mapping[str, Any] | None, body: TextBlock, journal: Journal
) -> Iterator[Note]:
    text = body.text.strip("\r\n")
    if body.fault:
        journal.reject(body.place, body.fault)
    elif not text.strip():
        if fields is not None:
            journal.leave_out("note without text")
    elif fields is None:
        journal.reject(body.place, "has no front matter with an `id`")
    else:
        yield Note(place=body.place, key=fields["id"], fields=fields, body=text)
