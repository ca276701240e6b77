"""JSON text as elements: the lines of NDJSON, the items of lists, the members of an object.

A bad element never loses the others: each is cut out of the text before anybody decodes it.
"""

import io
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import Enum, auto
from functools import partial
from typing import BinaryIO

from msgspec import Struct

from memferry.sources.base import Journal, Member, Place, refuse_file
from memferry.sources.reading.scanner import MOST_VALUE_BYTES, CutOff, Scanner
from memferry.sources.reading.text import open_text, peek_text

HEAD_BYTES = 64 * 1024
"""How much of a text is looked at to tell what it is."""
_PEEKED_BYTES = 4096
_NAME_CHARACTERS = 100
_FIRST_ELEMENTS = 5
_SKIPPED_BYTES = 1024 * 1024


class Element(Struct, frozen=True, gc=False):
    """The text of one JSON value, and where it stands."""

    raw: bytes
    at: str
    """Such as `line 12`, `[3]`, `memories[3]`, `user`."""
    name: str = ""
    """The member of an object that it is, or in whose list it stands."""
    is_item: bool = True
    """Whether it stands in a list or in a line of its own."""


class Layout(Enum):
    """How JSON text holds its elements."""

    LINES = auto()
    """One value in each line."""
    LIST = auto()
    OBJECT = auto()
    """One object, or several one after the other that do not keep to lines."""


def find_layout(head: bytes) -> Layout | None:
    """The layout of text that begins so; None: it is no JSON list, object or lines of objects."""
    text = head.lstrip()
    if text.startswith(b"["):
        return Layout.LIST
    line, *others = text.split(b"\n", _FIRST_ELEMENTS)
    if not text.startswith(b"{"):
        # The first lines may be damaged.
        return Layout.LINES if any(map(_is_whole_object, others)) else None
    return Layout.LINES if others and _is_line(line.rstrip(), others) else Layout.OBJECT


def _is_line(line: bytes, others: Sequence[bytes]) -> bool:
    """Whether a line that begins with a brace seems to be an object, maybe a damaged one."""
    following = next((other for other in others if not other.isspace()), b"")
    if following.startswith(b"{"):
        is_open = line.endswith((b":", b",", b"["))
        return line.endswith(b"}") or (not is_open and _is_whole_object(following))
    return bool(following) and _is_whole_object(line)


def split_elements(
    member: Member, journal: Journal, lists: Collection[str] = (), most: int = MOST_VALUE_BYTES
) -> Iterator[Element]:
    """The elements of a member; of an object with one of the `lists`, what is in its members.

    A file without a byte has none: NDJSON may be empty. Raises Invalid for what is no JSON, or is
    damaged.
    """
    head = peek_text(member, HEAD_BYTES)
    layout = find_layout(head)
    if layout is None and head:
        raise refuse_file(member.name, "is no JSON list, object or lines of objects")
    with open_text(member, journal) as file:
        if layout is Layout.LINES:
            yield from split_lines(file, journal, member.name, most)
            return
        scanner = Scanner(file, most)
        if layout is Layout.LIST:
            yield from split_list(scanner, journal, member.name)
        elif find_first_element(head, lists) != head.lstrip():
            yield from split_object(scanner, journal, member.name)
        else:
            yield from split_values(scanner, journal, member.name)
        if scanner.look():
            journal.reject(Place(member.name, "end"), "something follows the end of the JSON text")


def split_lines(
    file: BinaryIO, journal: Journal, member: str, most: int = MOST_VALUE_BYTES
) -> Iterator[Element]:
    """The lines that are not blank; one that is larger than `most` bytes is rejected."""
    read_line = partial(file.readline, most + 1)
    for number, line in enumerate(iter(read_line, b""), 1):
        if len(line) > most:
            journal.reject(Place(member, f"line {number}"), f"is larger than {most} bytes")
            _skip_line(file, line)
        elif not line.isspace():
            yield Element(line, f"line {number}")


def split_list(
    scanner: Scanner, journal: Journal, member: str, name: str = ""
) -> Iterator[Element]:
    """The items of the list that begins here."""
    scanner.take_byte()
    number = 0
    while True:
        place = Place(member, f"{name}[{number}]")
        if not _find_item(scanner, journal, place, is_first=not number):
            return
        for raw in scanner.take_items() or (_take_value(scanner, journal, place),):
            if raw is not None:
                yield Element(raw, f"{name}[{number}]", name)
            number += 1


def split_object(scanner: Scanner, journal: Journal, member: str) -> Iterator[Element]:
    """The members of the object that begins here; of those that are lists, their items."""
    scanner.take_byte()
    is_first = True
    while _find_item(scanner, journal, Place(member, "end"), is_first=is_first):
        is_first = False
        name = _take_name(scanner, journal, member)
        if name is None:
            return
        if scanner.look() == b"[":
            yield from split_list(scanner, journal, member, name)
        elif (raw := _take_value(scanner, journal, Place(member, name), is_item=False)) is not None:
            yield Element(raw, name, name, is_item=False)


def split_values(scanner: Scanner, journal: Journal, member: str) -> Iterator[Element]:
    """Values that stand one after the other, with or without anything between them."""
    number = 0
    while scanner.look():
        at = f"value {number + 1}"
        raw = _take_value(scanner, journal, Place(member, at))
        if raw is not None:
            yield Element(raw, at)
        number += 1


def split_glued(element: Element) -> list[bytes]:
    """The values of a line that holds several, such as when two programs wrote at once."""
    scanner = Scanner(io.BytesIO(element.raw))
    values = []
    try:
        while scanner.look():
            values.append(scanner.take_value() or b"")
    except CutOff:
        return []
    return values


def peek_names(head: bytes) -> dict[str, bytes]:
    """The names in the object that begins so, as far as they are seen.

    Each with the text from its value on.
    """
    scanner, names = Scanner(io.BytesIO(head)), dict[str, bytes]()
    try:
        while scanner.take_byte() in {b"{", b","}:
            name = decode_name(scanner.take_value() or b"")
            if name is None or scanner.take_byte() != b":":
                break
            names[name] = scanner.peek(_PEEKED_BYTES)
            scanner.take_value()
    except CutOff:
        pass
    return names


def find_first_element(head: bytes, lists: Iterable[str] = ()) -> bytes:
    """The text from the first element on; `lists` are names of lists that hold elements."""
    text = head.lstrip()
    if text.startswith(b"["):
        return text[1:].lstrip()
    names = peek_names(text) if lists else {}
    for name in lists:
        if names.get(name, b"").startswith(b"["):
            return names[name][1:].lstrip()
    return text


def find_first_elements(head: bytes, lists: Iterable[str] = ()) -> list[bytes]:
    """The first few elements, each with what follows it: one may be damaged or odd."""
    if find_layout(head) is Layout.LINES:
        return head.lstrip().split(b"\n", _FIRST_ELEMENTS)[:_FIRST_ELEMENTS]
    scanner, elements = Scanner(io.BytesIO(find_first_element(head, lists))), list[bytes]()
    try:
        while len(elements) < _FIRST_ELEMENTS:
            elements.append(scanner.peek(HEAD_BYTES))
            scanner.take_value()
            if scanner.take_byte() != b",":
                break
    except CutOff:
        pass
    return elements


def decode_name(text: bytes) -> str | None:
    """The name of a member; None if it is none."""
    try:
        name = json.loads(text)
    except ValueError:
        return None
    return name if isinstance(name, str) else None


def _find_item(scanner: Scanner, journal: Journal, place: Place, *, is_first: bool) -> bool:
    """Go to the next item of a list or an object; False at its end."""
    commas = 0
    while (byte := scanner.look()) == b",":
        scanner.take_byte()
        commas += 1
    if not byte:
        if not scanner.is_cut_off:
            journal.reject(place, "the text ends before it: it seems to be cut off")
        return False
    has_ended = byte in b"]}"
    if commas != (not is_first and not has_ended):
        journal.repair("comma", place)
    if has_ended:
        scanner.take_byte()
    return not has_ended


def _take_value(
    scanner: Scanner, journal: Journal, place: Place, *, is_item: bool = True
) -> bytes | None:
    try:
        raw = scanner.take_value()
    except CutOff:
        journal.reject(place, "the text ends within it: it seems to be cut off")
        return None
    if raw is None and is_item:
        journal.reject(place, f"is larger than {scanner.most} bytes")
    elif raw is None:
        journal.leave_out("large member beside the memories")
    return raw


def _take_name(scanner: Scanner, journal: Journal, member: str) -> str | None:
    raw = _take_value(scanner, journal, Place(member, "name of a member"))
    name = None if raw is None else decode_name(raw)
    if name is None or scanner.take_byte() != b":":
        journal.reject(Place(member, "name of a member"), "no name and colon where JSON has them")
        return None
    return name[:_NAME_CHARACTERS]


def _is_whole_object(text: bytes) -> bool:
    """Whether a text is one object, neither less nor more."""
    scanner = Scanner(io.BytesIO(text))
    try:
        return scanner.look() == b"{" and bool(scanner.take_value()) and not scanner.look()
    except CutOff:
        return False


def _skip_line(file: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = file.readline(_SKIPPED_BYTES)
