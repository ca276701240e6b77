"""Canonical JSON (RFC 8785) for values whose numbers are whole and whose keys are ASCII.

Of such values the canonical form is easy to make in any language: keys sorted, no white space,
UTF-8, nothing escaped that need not be.
"""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

MOST_EXACT = 2**53 - 1
"""The greatest whole number that every reader of JSON keeps (RFC 7493, section 2.2)."""
_DEEPEST = 32


def encode_canonical(value: Any) -> bytes:
    """The canonical form; raises ValueError for a value that has none here."""
    _check(value, _DEEPEST)
    return msgspec.json.encode(value, order="sorted")


def decode_strict(text: bytes) -> Any:
    """Read JSON whose canonical form is certain; raises ValueError.

    A key that is given twice is refused: two readers could see two different documents.
    """
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_refuse_repeated_keys)
        _check(value, _DEEPEST)
    except RecursionError as fault:
        raise ValueError("is nested too deeply") from fault
    return value


def _refuse_repeated_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("names a key twice")
    return members


def _check(value: Any, depth: int) -> None:
    """Raise ValueError for what the canonical form of this module does not cover."""
    if depth == 0:
        raise ValueError("is nested too deeply")
    if isinstance(value, dict):
        if not all(key.isascii() for key in value):
            raise ValueError("has a key that is not ASCII")
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            _check(item, depth - 1)
    else:
        _check_plain(value)


def _check_plain(value: Any) -> None:
    if isinstance(value, str):
        value.encode()  # a lone surrogate has no UTF-8
    elif value is not None and not (isinstance(value, int) and abs(value) <= MOST_EXACT):
        raise ValueError("holds a number that is not whole, or is beyond 2^53")
