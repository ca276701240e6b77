"""What a file is that no source knows, in words: for the message that says what was seen."""

from memferry.sources.base import Bundle, Member
from memferry.sources.reading.elements import (
    HEAD_BYTES,
    Layout,
    find_first_element,
    find_layout,
    peek_names,
)
from memferry.sources.reading.text import peek_text

_MAGICS = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF-", "a PDF"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"BZh", "a bzip2 file"),
    (b"PGDMP", "a dump of pg_dump"),
    (b"\x7fELF", "a program"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<!doctype", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML document"),
    (b"{\\rtf", "an RTF document"),
)
_MOST_NAMES = 10
_NAME_CHARACTERS = 40


def describe_bundle(bundle: Bundle) -> str:
    """What the members of a bundle are, in a few words."""
    members = bundle.members
    if not members:
        return "no file"
    if len(members) == 1:
        return describe_member(members[0])
    first = "; ".join(f"{member.name!r}, {describe_member(member)}" for member in members[:3])
    return f"{len(members)} files, such as {first}"


def describe_member(member: Member) -> str:
    """What a file is, by its first bytes."""
    head = peek_text(member, HEAD_BYTES)
    for magic, words in _MAGICS:
        if head.startswith(magic):
            return words
    if not head.strip():
        return "an empty file" if not head else "blank text"
    if (layout := find_layout(head)) is not None:
        return _describe_json(head, layout)
    if b"\x00" in head:
        return "binary data of no known kind"
    return _describe_text(head)


def _describe_json(head: bytes, layout: Layout) -> str:
    words = {
        Layout.LINES: "lines of JSON objects",
        Layout.LIST: "a JSON list",
        Layout.OBJECT: "a JSON object",
    }[layout]
    names = [name[:_NAME_CHARACTERS] for name in peek_names(find_first_element(head))]
    if names:
        of = "of objects with" if layout is Layout.LIST else "with"
        more = "…" if len(names) > _MOST_NAMES else ""
        return f"{words} {of} the keys {', '.join(names[:_MOST_NAMES])}{more}"
    return f"{words} whose items are no objects" if layout is Layout.LIST else words


def _describe_text(head: bytes) -> str:
    number = len(head.splitlines())
    some = "at least " if len(head) >= HEAD_BYTES else ""
    lines = f"{some}{number} line{'' if number == 1 else 's'}"
    try:
        head.decode()
    except UnicodeDecodeError as fault:
        if fault.end < len(head) - 3:
            return f"text of {lines} that is not UTF-8 (byte {fault.start})"
    return f"plain text of {lines}, which only format=paste reads"
