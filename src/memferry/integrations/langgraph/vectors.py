"""Vectors of items as text, exactly as they are compared, and how near they are to a query.

The text is base64 of little-endian floats: of 32 bits, or of 16, which pgvector calls halfvec.
"""

import base64
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from operator import mul
from typing import TypeAlias

from memferry.errors import Invalid

Vector: TypeAlias = Sequence[float]
_Measure: TypeAlias = Callable[[Vector], float]

_LETTERS: Mapping[str, str] = {"vector": "f", "halfvec": "e"}
VECTOR_TYPES = tuple(_LETTERS)
"""How the numbers of a vector are kept; the first is the usual one."""


class QueryVector:
    """The vector of a query, which finds the scores of items."""

    def __init__(self, vector: Vector, distance_type: str) -> None:
        self._dims = len(vector)
        self._measure = _MEASURES[distance_type](vector)

    def find_score(self, vectors: object) -> float | None:
        """Find how near the nearest vector of an item is: the larger, the nearer.

        None for an item without vectors of these dimensions; a person may have edited them.
        """
        texts = vectors.values() if isinstance(vectors, Mapping) else ()
        decoded = (decode_vector(text, self._dims) for text in texts)
        scores = (self._measure(vector) for vector in decoded if vector)
        return max(filter(math.isfinite, scores), default=None)


def encode_vector(vector: Vector, vector_type: str) -> str:
    """Encode a vector; raises Invalid for numbers that its type does not hold."""
    try:
        packed = struct.pack(f"<{len(vector)}{_LETTERS[vector_type]}", *vector)
    except (struct.error, OverflowError, TypeError) as fault:
        raise Invalid("index", f"the embedding is no {vector_type}: {fault}") from fault
    if not all(map(math.isfinite, vector)):
        raise Invalid("index", "the embedding holds NaN or infinity")
    return base64.b64encode(packed).decode()


def decode_vector(text: object, dims: int) -> Vector | None:
    """Decode a vector of so many dimensions, whatever its type; None for any other text."""
    try:
        packed = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return None
    letter = {4 * dims: "f", 2 * dims: "e"}.get(len(packed))
    return None if letter is None else struct.unpack(f"<{dims}{letter}", packed)


def _measure_cosine(query: Vector) -> _Measure:
    """From 1 for the same direction to -1; 0 if one has no direction."""
    query_length = math.hypot(*query)

    def measure(vector: Vector) -> float:
        lengths = query_length * math.hypot(*vector)
        # In this order NaN stays NaN.
        return min(max(_multiply(query, vector) / lengths, -1.0), 1.0) if lengths else 0.0

    return measure


def _measure_product(query: Vector) -> _Measure:
    return lambda vector: _multiply(query, vector)


def _measure_distance(query: Vector) -> _Measure:
    return lambda vector: -math.dist(query, vector)


def _multiply(one: Vector, other: Vector) -> float:
    return float(sum(map(mul, one, other)))


_MEASURES: Mapping[str, Callable[[Vector], _Measure]] = {
    "cosine": _measure_cosine,
    "inner_product": _measure_product,
    "l2": _measure_distance,
}
DISTANCE_TYPES = tuple(_MEASURES)
"""How vectors are compared; the first is the usual one."""
