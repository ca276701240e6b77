"""Markdown with front matter: OKF, Obsidian, basic-memory, Claude Code, Letta, mem0's plugin.

One reader for all: a file is a memory. Only our own export says exactly what it was.
"""

import re
from collections.abc import Iterator
from typing import Any, LiteralString

from memferry.errors import Invalid
from memferry.model.rules import CONTENT_BYTES
from memferry.sources.base import Bundle, Journal, Member, Place, ReadOptions, Record
from memferry.sources.notes.markdown_blocks import cut_blocks, has_blocks
from memferry.sources.notes.markdown_note import OWN_KEY, Note, make_foreign_record, make_own_record
from memferry.sources.reading.elements import HEAD_BYTES
from memferry.sources.reading.front_matter import (
    MOST_BYTES,
    UnreadableFrontMatter,
    parse_front_matter,
    split_front_matter,
)
from memferry.sources.reading.text import open_text, peek_text
from memferry.sources.reading.text_lines import TOO_LONG, UnreadableText, decode_text
from memferry.sources.reading.times import TimeReader

_NAME = re.compile(r".*\.(?:md|markdown)", re.IGNORECASE)
_HIDDEN_FOLDERS = frozenset([".obsidian", ".trash", ".git"])
_PLACEHOLDER = re.compile(r"\{\{|<%")
_RESERVED = frozenset(["index.md", "log.md"])
"""Files of OKF that list others."""
_LINK = re.compile(r"[-*+] \[[^\]\n]*\]\([^)\n]*\.md\).*")
_PEEKED_NOTES = 20
_LONGEST_BYTES = MOST_BYTES + 4 * CONTENT_BYTES


class MarkdownFiles:
    """Folders of notes, and single ones that begin with front matter."""

    name: LiteralString = "markdown"

    def recognises(self, bundle: Bundle) -> bool:
        """Whether all members are Markdown: by front matter, or in an archive by name."""
        return bool(bundle.members) and all(
            (bundle.is_archive and _NAME.fullmatch(member.name)) or peek_fields(member)
            for member in bundle.members
        )

    def read(self, bundle: Bundle, options: ReadOptions, journal: Journal) -> Iterator[Record]:
        """Yield a record per file, in order; of files that hold several, one for each."""
        reader = _Reader(bundle, options, journal)
        for member in bundle.members:
            yield from reader.read_member(member)


def peek_fields(member: Member) -> dict[str, Any]:
    """The front matter with which a file begins; {} if there is none that can be read."""
    head = peek_text(member, HEAD_BYTES).decode("utf-8", "replace")
    try:
        return parse_front_matter(split_front_matter(head)[0] or "")
    except UnreadableFrontMatter:
        return {}


class _Reader:
    """Reads the files of one import."""

    def __init__(self, bundle: Bundle, options: ReadOptions, journal: Journal) -> None:
        self._options = options
        self._journal = journal
        self._times = TimeReader(options.timezone, journal)
        self._root = _find_root(bundle)
        self._follows_okf = bundle.is_archive and _follows_okf(bundle)

    def read_member(self, member: Member) -> Iterator[Record]:
        """Yield the records of one file; what cannot be read is rejected by itself."""
        place = Place(member.name, "line 1")
        if has_blocks(peek_fields(member)):
            for note in cut_blocks(member, self._journal):
                yield make_foreign_record(note, self._times, self._journal)
            return
        try:
            text = self._read_text(member, place)
        except UnreadableText as fault:
            self._journal.reject(place, str(fault))
            return
        front, body = split_front_matter(text)
        fields = self._parse(front, place)
        if fields and OWN_KEY in fields:
            yield from self._restore(Note(place=place, key="", fields=fields, body=body))
        elif reason := self._find_reason_against(member.name, text, body):
            self._journal.leave_out(reason)
        else:
            # Without a body, or a front that can be read, the whole file is what there is to keep.
            whole = fields is None or not body.strip()
            note = self._make_note(place, fields or {}, text if whole else body)
            yield make_foreign_record(note, self._times, self._journal)

    def _read_text(self, member: Member, place: Place) -> str:
        """The text of a file; raises UnreadableText."""
        with open_text(member, self._journal) as file:
            data = file.read(_LONGEST_BYTES + 1)
        if len(data) > _LONGEST_BYTES:
            raise UnreadableText(TOO_LONG)
        return decode_text(data, place, self._journal)

    def _parse(self, front: str | None, place: Place) -> dict[str, Any] | None:
        """The front matter; None if it cannot be read, which is noted."""
        try:
            return parse_front_matter(front or "")
        except UnreadableFrontMatter:
            self._journal.repair("unreadable front matter", place)
            return None

    def _restore(self, note: Note) -> Iterator[Record]:
        try:
            yield make_own_record(note)
        except Invalid as fault:
            self._journal.reject(note.place, f"its front matter cannot be restored: {fault}")

    def _make_note(self, place: Place, fields: dict[str, Any], body: str) -> Note:
        folder = place.member.removeprefix(self._root).rpartition("/")[0]
        folders = self._options.folders
        return Note(
            place=place,
            key=place.member,
            fields=fields,
            body=body,
            tag=folder.partition("/")[0] if folders == "tag" else None,
            namespace=(folder or None) if folders == "namespace" else None,
        )

    def _find_reason_against(self, path: str, text: str, body: str) -> str | None:
        """Why a file is no memory; None: it is one."""
        *folders, name = path.split("/")
        if not text.strip():
            return "note without text"
        if _HIDDEN_FOLDERS.intersection(folders):
            return "file of a hidden folder"
        if "templates" in map(str.lower, folders) and _PLACEHOLDER.search(text):
            return "template"
        if (self._follows_okf and name in _RESERVED) or (
            name == "MEMORY.md" and _lists_files(body)
        ):
            return "index of a folder"
        return None


def _find_root(bundle: Bundle) -> str:
    """The folder that holds all others of an archive, with its slash; or ""."""
    roots = {member.name.partition("/")[:2] for member in bundle.members}
    return "".join(roots.pop()) if len(roots) == 1 and bundle.is_archive else ""


def _follows_okf(bundle: Bundle) -> bool:
    """Whether a folder is an OKF bundle: its index says so, or each note has a `type`."""
    notes = 0
    for member in bundle.members:
        name = member.name.rpartition("/")[2]
        fields = peek_fields(member)
        if name == "index.md" and "okf_version" in fields:
            return True
        if name not in _RESERVED:
            notes += 1
            if "type" not in fields or "permalink" in fields:
                return False
        if notes == _PEEKED_NOTES:
            break
    return notes > 0


def _lists_files(text: str) -> bool:
    """Whether all lines of a text are links to other files, or headings over them."""
    lines = [line.strip() for line in text.splitlines()]
    words = [line for line in lines if line and not line.startswith("#")]
    return bool(words) and all(_LINK.fullmatch(line) for line in words)
