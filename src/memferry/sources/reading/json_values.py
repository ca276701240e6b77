"""Values of decoded JSON that may have any shape: what has another one counts as not there."""

from collections.abc import Mapping, Sequence
from typing import Any


def get_text(value: Mapping[str, Any], name: str) -> str:
    """The text under a name, or ""."""
    text = value.get(name)
    return text if isinstance(text, str) else ""


def get_object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under a name, or {}."""
    object_ = value.get(name)
    return object_ if isinstance(object_, dict) else {}


def get_list(value: Mapping[str, Any], name: str) -> Sequence[Any]:
    """The list under a name, or []."""
    list_ = value.get(name)
    return list_ if isinstance(list_, list) else []


def list_objects(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects in the list under a name."""
    return [part for part in get_list(value, name) if isinstance(part, dict)]
