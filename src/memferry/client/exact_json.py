"""JSON of metadata whose numbers keep their values: a float cannot hold each of them."""

import math
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import msgspec

_T = TypeVar("_T")
_encoder = msgspec.json.Encoder(decimal_format="number")


def encode_exact(value: Any) -> bytes:
    """Encode a value; a Decimal is written as the number that it is."""
    return _encoder.encode(value)


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
