"""Values as JSON text that gives back the same values."""

import json
from collections.abc import Mapping
from typing import Any

from memferry.errors import Invalid


def encode_value(value: Mapping[str, Any]) -> str:
    """Encode a value as JSON text; raises Invalid for what JSON does not hold exactly."""
    if not isinstance(value, Mapping):
        raise Invalid("value", f"expected a dictionary, got {type(value).__name__}")
    _check_keys(value)
    try:
        text = json.dumps(dict(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as fault:
        raise Invalid("value", f"is no JSON: {fault}") from fault
    # Half of a surrogate pair is no UTF-8, but may be escaped.
    return text if is_utf8(text) else json.dumps(dict(value), separators=(",", ":"))


def is_utf8(text: str) -> bool:
    """Whether a text can be written as UTF-8: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_keys(value: Any) -> None:
    """Raise Invalid for a key that is no text: JSON would make it one without a word."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise Invalid("value", f"the key {key!r} is no text")
            _check_keys(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_keys(inner)
