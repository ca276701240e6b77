"""Why a body cannot be read, in a sentence that names the field."""

import json
import mmap
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from memferry.errors import Invalid
from memferry.model.json_text import MAX_DEPTH, Skeleton

Buffer = bytes | bytearray | mmap.mmap

# Metadata of the most depth, in a row, in a list, in a body.
_BODY_DEPTH = MAX_DEPTH + 3
# Larger bodies are not searched for what makes them unreadable: it would take seconds.
_SEARCHED_BYTES = 256 * 1024
_PLACE = re.compile(r"(?P<reason>.*) - at `(?:key in )?\$\.?(?P<path>.*)`", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>.*)`", re.DOTALL)
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[{}\[\]:]', re.DOTALL)


def refuse_deep(body: Buffer) -> None:
    """Raise Invalid for what is nested too deep, before anything recurses into it.

    How deep a decoder goes, and whether it notices, is another matter in every Python.
    """
    if len(body) > _SEARCHED_BYTES:
        return
    body = bytes(body)
    if body.count(b"[") + body.count(b"{") <= _BODY_DEPTH:
        return
    field = _find_too_deep(body) if Skeleton(body).is_deeper_than(_BODY_DEPTH) else None
    if field is not None:
        raise Invalid(field, f"nested deeper than {MAX_DEPTH} levels")


def translate_message(message: str) -> Invalid:
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


def diagnose(body: Buffer, fault: Exception) -> Invalid:
    """Find the field that made a body unreadable; only ever runs on refused input."""
    if len(body) > _SEARCHED_BYTES:
        return Invalid("body", _explain(fault))
    body = bytes(body)
    try:
        if isinstance(fault, RecursionError):
            raise fault
        # Lone surrogates and bytes that are no UTF-8 come through here, as surrogates.
        value = json.loads(body.decode("utf-8", "surrogateescape"), parse_int=str, parse_float=str)
    except RecursionError as error:
        return Invalid(_find_too_deep(body) or "body", _explain(error))
    except ValueError as error:
        return Invalid("body", f"is not valid JSON: {error}")
    return _find_unfit_text(value) or Invalid("body", _explain(fault))


def _find_unfit_text(value: Any) -> Invalid | None:
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


def _explain(fault: Exception) -> str:
    if isinstance(fault, RecursionError):
        return f"nested deeper than {MAX_DEPTH} levels"
    own = isinstance(fault, ValueError) and not isinstance(fault, msgspec.MsgspecError)
    return str(fault) if own else f"is not valid JSON: {fault}"


def _find_too_deep(body: bytes) -> str | None:
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
