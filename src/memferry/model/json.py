"""Reading JSON that clients sent: strict types, and errors that name the field.

Metadata is never turned into Python numbers and back: it stays JSON text from the client to
PostgreSQL, so that a number beyond 2^53 or with trailing zeros survives.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from memferry.errors import Invalid

_T = TypeVar("_T")

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
_NUL = "\x00"
# PostgreSQL's numeric would store 1e131071 and print it with 131,072 digits.
_MOST_DIGITS = 400


def decode(decoder: "msgspec.json.Decoder[_T]", body: bytes) -> _T:
    """The body as the decoder's type; raises Invalid that names the field."""
    _refuse_deep(body)
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as fault:
        raise _invalid(str(fault)) from fault
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise _diagnose(body, fault) from fault


def check_value(field: str, text: bytes, *, depth: int = MAX_DEPTH, keys: int | None = None) -> Any:
    """Parse JSON text to see whether PostgreSQL can hold it exactly; raises Invalid if not.

    `depth` is how deep it may be nested, `keys` how many its objects may have in all.
    """
    try:
        value = _CHECKED.decode(text)
    except (ValueError, RecursionError, msgspec.MsgspecError) as fault:
        inner = _diagnose(b'{"%b":%b}' % (field.encode(), text), fault)
        raise Invalid(field, inner.reason) from fault
    found = 0
    for part, level in _walk(value):
        if level > depth:
            raise Invalid(field, f"nested deeper than {depth} levels")
        found += len(part) if isinstance(part, dict) else 0
        if keys is not None and found > keys:
            raise Invalid(field, f"more than {keys} keys")
        if isinstance(part, str) and _NUL in part:
            raise Invalid(field, "must not contain NUL (U+0000)")
        if isinstance(part, int) and abs(part) >= 10**_MOST_DIGITS:
            raise Invalid(field, "holds a number that is too large")
    return value


def refuse_repeated_keys(text: bytes) -> None:
    """Raise Invalid if any object names a key twice; the earlier value would silently be lost."""

    def once(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise Invalid(key, "is given twice")
            seen.add(key)

    json.loads(text, object_pairs_hook=once)


def _checked_number(text: str) -> str:
    exponent = text.lower().partition("e")[2] or "0"
    if len(text) > _MOST_DIGITS or len(exponent) > 4 or abs(int(exponent)) > _MOST_DIGITS:  # noqa: PLR2004 - sign and three digits
        raise ValueError("holds a number that is too large or too small")
    return ""  # a number cannot break the rules for texts


_CHECKED = msgspec.json.Decoder(float_hook=_checked_number)


def _walk(value: Any) -> Iterator[tuple[Any, int]]:
    """All parts, each with the number of objects and arrays that it is or lies in."""
    stack = [(value, 1)]
    while stack:
        part, depth = stack.pop()
        yield part, depth
        if isinstance(part, dict):
            stack.extend((key, depth) for key in part)
            stack.extend((each, depth + isinstance(each, _NEST)) for each in part.values())
        elif isinstance(part, list):
            stack.extend((each, depth + isinstance(each, _NEST)) for each in part)


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


def _diagnose(body: bytes, fault: Exception) -> Invalid:
    """Find the field that made a body unreadable; only ever runs on refused input."""
    if len(body) > _SEARCHED_BYTES:
        return Invalid("body", _reason(fault))
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
        for text, _ in _walk(part):
            if isinstance(text, str) and any("\ud800" <= char <= "\udfff" for char in text):
                return Invalid(field, "is not valid UTF-8, or has half a surrogate pair")
    return None


def _reason(fault: Exception) -> str:
    if isinstance(fault, RecursionError):
        return f"nested deeper than {MAX_DEPTH} levels"
    own = isinstance(fault, ValueError) and not isinstance(fault, msgspec.MsgspecError)
    return str(fault) if own else f"is not valid JSON: {fault}"


def _refuse_deep(body: bytes) -> None:
    """Raise Invalid for what is nested too deep, before anything recurses into it.

    How deep a decoder goes, and whether it notices, is another matter in every Python.
    """
    if len(body) <= _SEARCHED_BYTES and body.count(b"[") + body.count(b"{") > _BODY_DEPTH:
        field = _too_deep(body)
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
