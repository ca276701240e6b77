"""JSON as text of bounded width: what fits on a line stays on it."""

import json
from collections.abc import Sequence
from typing import Any

WIDTH = 86
_LONGEST_TEXT = 64


def lay_out_json(value: Any, indent: int = 0, before: int = 0) -> str:
    """The value as JSON; `before` is how many characters its first line has already."""
    line = json.dumps(value, ensure_ascii=False)
    if before + len(line) <= WIDTH or not value or not isinstance(value, dict | list):
        return line
    inner = indent + 2
    if isinstance(value, list):
        return _join([lay_out_json(item, inner, inner) for item in value], "[]", indent)
    items = []
    for name, item in value.items():
        label = f"{json.dumps(name)}: "
        items.append(label + lay_out_json(item, inner, inner + len(label)))
    return _join(items, "{}", indent)


def _join(items: Sequence[str], brackets: str, indent: int) -> str:
    """Fill lines with items; one of several lines has its lines to itself."""
    lines = [" " * indent + " "]
    for item in items:
        fits = len(lines[-1]) + len(item) + 2 <= WIDTH and not lines[-1].endswith(("}", "]"))
        if "\n" not in item and fits:
            lines[-1] += f" {item},"
        else:
            lines.append(" " * (indent + 2) + f"{item},")
    text = "\n".join(line for line in lines if line.strip()).removesuffix(",")
    return f"{brackets[0]}\n{text}\n{' ' * indent}{brackets[1]}"


def cut_texts(value: Any) -> Any:
    """The value with an ellipsis at the end of each long text."""
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return f"{value[:_LONGEST_TEXT]}…"
    if isinstance(value, list):
        return [cut_texts(item) for item in value]
    if isinstance(value, dict):
        return {name: cut_texts(item) for name, item in value.items()}
    return value
