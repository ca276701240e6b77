"""JSON that keeps what it is given: numbers beyond a float, and nothing that would be another."""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import msgspec

from memferry.errors import Invalid

_T = TypeVar("_T")
_PLAIN = frozenset({str, int, bool, type(None)})
_encoder = msgspec.json.Encoder(decimal_format="number")


def encode_exact(value: Any) -> bytes:
    """Encode a value; a Decimal is written as the number that it is.

    Raises Invalid, which names the place, for NaN, infinity and bytes: JSON has none of them, and
    they would become null or text.
    """
    if (fault := _find_fault(value)) is not None:
        place, reason = fault
        raise Invalid(place.removeprefix("."), reason)
    return _encoder.encode(value)


def _find_fault(value: Any) -> tuple[str, str] | None:
    """Find what JSON does not have: its place in a value, and the reason."""
    parts: Iterable[tuple[Any, Any]]
    if isinstance(value, Mapping):
        parts, form = value.items(), ".{}"
    elif isinstance(value, list | tuple):
        parts, form = enumerate(value), "[{}]"
    else:
        reason = _describe_fault(value)
        return None if reason is None else ("", reason)
    for key, inner in parts:
        # Thousands of memories may come at once, and most of their values are plain.
        if type(inner) not in _PLAIN and (fault := _find_fault(inner)) is not None:
            place, reason = fault
            return form.format(key) + place, reason
    return None


def _describe_fault(value: Any) -> str | None:
    if isinstance(value, bytes | bytearray | memoryview):
        return "expected str, got bytes; decode them"
    if isinstance(value, float):
        finite = math.isfinite(value)
    else:
        finite = not isinstance(value, Decimal) or value.is_finite()
    return None if finite else f"{value} is no number of JSON"


def make_decoder(answer_type: type[_T]) -> "msgspec.json.Decoder[_T]":
    """Make the decoder of a type; of values of any type a number may become a Decimal."""
    kind: Any = answer_type
    decoder: msgspec.json.Decoder[_T] = _make_decoder(kind)
    return decoder


@cache
def _make_decoder(answer_type: Any) -> Any:
    return msgspec.json.Decoder(answer_type, float_hook=_read_number)


def _read_number(text: str) -> float | Decimal:
    """Read a number as a float, or as a Decimal where no float has its value."""
    number, exact = float(text), Decimal(text)
    if math.isfinite(number) and Decimal(repr(number)) == exact:
        return number
    return exact
