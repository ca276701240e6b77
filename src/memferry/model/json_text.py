"""Looking at valid JSON text without making values of it: keys, nesting, numbers, members."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

MAX_DEPTH = 64
"""How deep metadata may be nested."""
# PostgreSQL's numeric would store 1e131071 and print it with 131,072 digits: 400 are the most.
_LONG_NUMBER = re.compile(rb"[0-9.eE+-]{402,}")
_LARGE_EXPONENT = re.compile(
    rb"[eE][+-]?0*(?:[1-9][0-9]{3,}|[5-9][0-9]{2}|4(?:0[1-9]|[1-9][0-9]))(?![0-9])"
)
_KEY = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
# A key without escapes: with one, the same name may be spelled in several ways.
_BARE_KEY = re.compile(rb'"([^"\\]*)":')
_BRACKETS = bytes.maketrans(b"[{]}", b"(())")
_NO_BRACKETS = bytes(sorted(set(range(256)) - set(b"[{]}")))


def find_repeated_key(text: bytes, shape: "Skeleton | None" = None) -> str | None:
    """A key that one object of valid JSON text names twice; None if there is none.

    A decoder keeps one member of a name, so what it gives back has as many members as it was given,
    unless some were repeated. Only then they are looked for one by one.
    """
    shape = shape or Skeleton(text)
    if shape.has_distinct_keys:
        return None
    if Skeleton(msgspec.json.encode(decode_plain(text))).members == shape.members:
        return None
    repeated: list[str] = []

    def note_repeated(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        repeated.extend(name for name in set(names) if names.count(name) > 1)

    json.loads(text, object_pairs_hook=note_repeated, parse_int=str, parse_float=str)
    return min(repeated)


def merge_members(old: bytes, patch: bytes) -> bytes:
    """One object with the members of another over it, at its top level; null removes a member.

    Both are compact. What the patch does not name keeps every byte and its place; what is new comes
    last.
    """
    members = {name: (key, value) for name, key, value in cut_members(old)}
    for name, key, value in cut_members(patch):
        if value == b"null":
            members.pop(name, None)
        else:
            members[name] = (members.get(name, (key,))[0], value)
    return b"{%b}" % b",".join(b"%b:%b" % member for member in members.values())


def cut_members(text: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """Name, spelled key and spelled value of each member of a compact object, in order."""
    at = 1
    for name, raw in msgspec.json.decode(text, type=dict[str, Raw]).items():
        value = bytes(raw)
        key = _KEY.match(text, at)
        if key is None:
            raise AssertionError(f"no key at byte {at}")
        at = key.end() + 1 + len(value) + 1
        yield name, key.group(), value


def decode_plain(text: bytes) -> Any:
    """The value of JSON text; numbers beyond the range of floats count as texts."""
    try:
        return msgspec.json.decode(text)
    except msgspec.ValidationError:
        return _WITH_WILD_NUMBERS.decode(text)


_WITH_WILD_NUMBERS = msgspec.json.Decoder(float_hook=str)


class Skeleton:
    """What is left of JSON text without the characters in its strings: brackets, numbers, words."""

    def __init__(self, text: bytes) -> None:
        # After this a quote only opens or closes a string: escapes are read from left to right.
        self._text = text.replace(rb"\\", b"--").replace(rb"\"", b"--")
        self._bare = b"".join(self._text.split(b'"')[::2])

    @property
    def members(self) -> int:
        """How many members its objects have in all."""
        return self._bare.count(b":")

    @property
    def holds_nul(self) -> bool:
        """Whether a string has an escaped NUL; a raw one is no JSON."""
        return rb"\u0000" in self._text

    @property
    def holds_wild_number(self) -> bool:
        """Whether a number would have more digits than PostgreSQL should print."""
        return _LONG_NUMBER.search(self._bare) is not None or (
            _LARGE_EXPONENT.search(self._bare) is not None
        )

    @property
    def has_distinct_keys(self) -> bool:
        """Whether no key at all is repeated, in whichever objects; False: that is not known."""
        keys = _BARE_KEY.findall(self._text)
        return len(keys) == self.members and len(set(keys)) == len(keys)

    def is_deeper_than(self, levels: int) -> bool:
        """Whether its brackets nest deeper; each pass takes the innermost ones away."""
        brackets = self._bare.translate(_BRACKETS, _NO_BRACKETS)
        for _ in range(levels):
            if not brackets:
                return False
            brackets = brackets.replace(b"()", b"")
        return bool(brackets)
