"""Reading JSON that clients sent: strict types, and errors that name the field.

Metadata is never turned into Python numbers and back: it stays JSON text from the client to
PostgreSQL, so that a number beyond 2^53 or with trailing zeros survives.
"""

import json
import mmap
import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from memferry.errors import Invalid

_T = TypeVar("_T")
Buffer = bytes | bytearray | mmap.mmap

MAX_DEPTH = 64
# Metadata of that depth, in a row, in a list, in a body.
_BODY_DEPTH = MAX_DEPTH + 3
# Larger bodies are not searched for what makes them unreadable: it would take seconds.
_SEARCHED_BYTES = 256 * 1024
_PLACE = re.compile(r"(?P<reason>.*) - at `(?:key in )?\$\.?(?P<path>.*)`", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>.*)`", re.DOTALL)
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[{}\[\]:]', re.DOTALL)
_NEST = (dict, list)
# PostgreSQL's numeric would store 1e131071 and print it with 131,072 digits: 400 are the most.
_LONG_NUMBER = re.compile(rb"[0-9.eE+-]{402,}")
_LARGE_EXPONENT = re.compile(
    rb"[eE][+-]?0*(?:[1-9][0-9]{3,}|[5-9][0-9]{2}|4(?:0[1-9]|[1-9][0-9]))(?![0-9])"
)
_KEY = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
# A key without escapes: with one, the same name may be spelled in several ways.
_BARE_KEY = re.compile(rb'"([^"\\]*)":')
# The next key of an object, with what stands between it and the value before.
_NEXT_KEY = re.compile(rb'[\s{,]*("[^"\\]*(?:\\.[^"\\]*)*")\s*:\s*', re.DOTALL)
_END = re.compile(rb"[\s{]*}\s*\Z")
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
# Of a body, or a row in one. Each of them is looked at by itself, known or not.
_MOST_MEMBERS, _KEY_CHARACTERS = 1000, 1000
_BRACKETS = bytes.maketrans(b"[{]}", b"(())")
_NO_BRACKETS = bytes(sorted(set(range(256)) - set(b"[{]}")))


def decode(decoder: "msgspec.json.Decoder[_T]", body: Buffer) -> _T:
    """The object in the body as the decoder's type; raises Invalid that names the field.

    A member that is given twice is refused; `compact` does that for what is nested in one.
    """
    _refuse_deep(body)
    try:
        decoded = decoder.decode(body)
        _refuse_repeated_members(body)
    except msgspec.ValidationError as fault:
        raise _invalid(str(fault)) from fault
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise _diagnose(body, fault) from fault
    return decoded


def compact(field: str, text: bytes, *, depth: int = MAX_DEPTH, keys: int | None = None) -> bytes:
    """JSON text without insignificant white space: numbers, escapes and the order of keys stay.

    Raises Invalid that names the field for what PostgreSQL could not hold exactly: NUL, numbers
    beyond its range, a key that is given twice. `depth` is how deep the value may be nested, `keys`
    how many its objects may have in all. Nothing runs once per element.
    """
    try:
        packed = msgspec.json.format(text, indent=-1)
        _decode_plain(packed)
    except (ValueError, RecursionError, msgspec.MsgspecError) as fault:
        reason = _diagnose(b'{"%b":%b}' % (field.encode(), text), fault).reason
        raise Invalid(field, reason) from fault
    shape = Skeleton(packed)
    if shape.is_deeper_than(depth):
        raise Invalid(field, f"nested deeper than {depth} levels")
    if keys is not None and shape.members > keys:
        raise Invalid(field, f"more than {keys} keys")
    if shape.holds_nul:
        raise Invalid(field, "must not contain NUL (U+0000)")
    if shape.holds_wild_number:
        raise Invalid(field, "holds a number that is too large or too small")
    if (key := find_repeated_key(packed)) is not None:
        raise Invalid(field, f"the key {key!r} is given twice")
    return packed


def find_repeated_key(text: bytes) -> str | None:
    """A key that one object of valid JSON text names twice; None if there is none.

    A decoder keeps one member of a name, so what it gives back has as many members as it was given,
    unless some were repeated. Only then they are looked for one by one.
    """
    shape = Skeleton(text)
    if shape.has_distinct_keys:
        return None
    if Skeleton(msgspec.json.encode(_decode_plain(text))).members == shape.members:
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
    members = {name: (key, value) for name, key, value in _cut_members(old)}
    for name, key, value in _cut_members(patch):
        if value == b"null":
            members.pop(name, None)
        else:
            members[name] = (members.get(name, (key,))[0], value)
    return b"{%b}" % b",".join(b"%b:%b" % member for member in members.values())


def _cut_members(text: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """Name, spelled key and spelled value of each member of a compact object, in order."""
    at = 1
    for name, raw in msgspec.json.decode(text, type=dict[str, Raw]).items():
        value = bytes(raw)
        key = _KEY.match(text, at)
        if key is None:
            raise AssertionError(f"no key at byte {at}")
        at = key.end() + 1 + len(value) + 1
        yield name, key.group(), value


def _refuse_repeated_members(text: Buffer) -> None:
    """Raise Invalid if an object names a member twice: an earlier value would silently be lost.

    A decoder puts the last value in the place of the first. So where the members do not stand in
    the text one by one as they were decoded, one was repeated. Nothing inside of them is looked at.
    """
    members = _MEMBERS.decode(text)
    if len(members) > _MOST_MEMBERS or any(len(name) > _KEY_CHARACTERS for name in members):
        raise Invalid("body", "has too many fields, or one with too long a name")
    at, last = 0, "body"
    for name, raw in members.items():
        key = _NEXT_KEY.match(text, at)
        if key is None or msgspec.json.decode(key[1]) != name:
            break
        at, last = key.end() + len(memoryview(raw)), name
    else:
        if _END.match(text, at):
            return
        key = _NEXT_KEY.match(text, at)
    # Where no key follows, the value was longer or shorter than the last one of its name.
    repeated = last if key is None else msgspec.json.decode(key[1])
    raise Invalid(repeated or "body", "is given twice")


def _decode_plain(text: bytes) -> Any:
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


def _invalid(message: str) -> Invalid:
    """Turn the decoder's message, such as "Expected `str`, got `int` - at `$.content`"."""
    field = "body"
    if place := _PLACE.fullmatch(message):
        message, field = place["reason"], place["path"] or "body"
    inside = "" if field == "body" else f"{field}."
    if unknown := _UNKNOWN.fullmatch(message):
        return Invalid(f"{inside}{unknown['field']}", "unknown field")
    if missing := _MISSING.fullmatch(message):
        return Invalid(f"{inside}{missing['field']}", "is required")
    return Invalid(field, message[:1].lower() + message[1:].replace("`", "").replace(" | null", ""))


def _diagnose(body: Buffer, fault: Exception) -> Invalid:
    """Find the field that made a body unreadable; only ever runs on refused input."""
    if len(body) > _SEARCHED_BYTES:
        return Invalid("body", _reason(fault))
    body = bytes(body)
    try:
        if isinstance(fault, RecursionError):
            raise fault
        # Lone surrogates and bytes that are no UTF-8 come through here, as surrogates.
        value = json.loads(body.decode("utf-8", "surrogateescape"), parse_int=str, parse_float=str)
    except RecursionError as error:
        return Invalid(_too_deep(body) or "body", _reason(error))
    except ValueError as error:
        return Invalid("body", f"is not valid JSON: {error}")
    return _unfit_text(value) or Invalid("body", _reason(fault))


def _unfit_text(value: Any) -> Invalid | None:
    """The field with a text that is no UTF-8."""
    for field, part in value.items() if isinstance(value, dict) else [("body", value)]:
        if any("\ud800" <= char <= "\udfff" for text in _walk_texts(part) for char in text):
            return Invalid(field, "is not valid UTF-8, or has half a surrogate pair")
    return None


def _walk_texts(value: Any) -> Iterator[str]:
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            stack += [*part, *part.values()]
        elif isinstance(part, list):
            stack += part


def _reason(fault: Exception) -> str:
    if isinstance(fault, RecursionError):
        return f"nested deeper than {MAX_DEPTH} levels"
    own = isinstance(fault, ValueError) and not isinstance(fault, msgspec.MsgspecError)
    return str(fault) if own else f"is not valid JSON: {fault}"


def _refuse_deep(body: Buffer) -> None:
    """Raise Invalid for what is nested too deep, before anything recurses into it.

    How deep a decoder goes, and whether it notices, is another matter in every Python.
    """
    if len(body) > _SEARCHED_BYTES:
        return
    body = bytes(body)
    if body.count(b"[") + body.count(b"{") <= _BODY_DEPTH:
        return
    field = _too_deep(body) if Skeleton(body).is_deeper_than(_BODY_DEPTH) else None
    if field is not None:
        raise Invalid(field, f"nested deeper than {MAX_DEPTH} levels")


def _too_deep(body: bytes) -> str | None:
    """The top-level field in which the nesting passes the limit; None if none does."""
    depth, last, field = 0, "body", "body"
    for match in _TOKENS.finditer(body):
        token = match.group()
        if token in b"{[":
            depth += 1
        elif token in b"}]":
            depth -= 1
        elif token == b":":
            field = last if depth == 1 else field
        elif depth == 1:
            last = token.strip(b'"').decode("utf-8", "replace")
        if depth > _BODY_DEPTH:
            return field
    return None
