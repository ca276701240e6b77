"""Reading JSON that clients sent: strict types, and errors that name the field.

Metadata is never turned into Python numbers and back: it stays JSON text from the client to
PostgreSQL, so that a number beyond 2^53 or with trailing zeros survives.
"""

import re
from typing import TypeVar

import msgspec
from msgspec import Raw

from memferry.errors import Invalid
from memferry.model.json_faults import Buffer, diagnose, refuse_deep, translate_message
from memferry.model.json_text import MAX_DEPTH, Skeleton, decode_plain, find_repeated_key

_T = TypeVar("_T")

# The next key of an object, with what stands between it and the value before.
_NEXT_KEY = re.compile(rb'[\s{,]*("[^"\\]*(?:\\.[^"\\]*)*")\s*:\s*', re.DOTALL)
_END = re.compile(rb"[\s{]*}\s*\Z")
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
# Of a body, or a row in one. Each of them is looked at by itself, known or not.
_MOST_MEMBERS, _KEY_CHARACTERS = 1000, 1000


def decode(decoder: "msgspec.json.Decoder[_T]", body: Buffer) -> _T:
    """The object in the body as the decoder's type; raises Invalid that names the field.

    A member that is given twice is refused; `compact` does that for what is nested in one.
    """
    refuse_deep(body)
    try:
        decoded = decoder.decode(body)
        _refuse_repeated_members(body)
    except msgspec.ValidationError as fault:
        raise translate_message(str(fault)) from fault
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise diagnose(body, fault) from fault
    return decoded


def compact(field: str, text: bytes, *, depth: int = MAX_DEPTH, keys: int | None = None) -> bytes:
    """JSON text without insignificant white space: numbers, escapes and the order of keys stay.

    Raises Invalid that names the field for what PostgreSQL could not hold exactly: NUL, numbers
    beyond its range, a key that is given twice. `depth` is how deep the value may be nested, `keys`
    how many its objects may have in all. Nothing runs once per element.
    """
    try:
        packed = msgspec.json.format(text, indent=-1)
        decode_plain(packed)
    except (ValueError, RecursionError, msgspec.MsgspecError) as fault:
        reason = diagnose(b'{"%b":%b}' % (field.encode(), text), fault).reason
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
    if (key := find_repeated_key(packed, shape)) is not None:
        raise Invalid(field, f"the key {key!r} is given twice")
    return packed


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
