"""Frames by columns as PostgreSQL would send them, written without its help."""

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from memferry.formats import FIELDS

_TIMES = ("created_at", "updated_at", "expires_at")


def make_frame(rows: Sequence[Mapping[str, Any]], fields: Sequence[str] = FIELDS) -> bytes:
    """One frame of memory objects; metadata is a text here."""
    values = [value for field in fields for value in _gather(field, rows)]
    sizes = [struct.pack(">ii", 25, len(value)) + value for value in values]
    return struct.pack(">i", len(values)) + b"".join(sizes)


def _gather(field: str, rows: Sequence[Mapping[str, Any]]) -> list[bytes]:
    if field in _TIMES:
        return [b"".join(struct.pack(">q", row[field]) for row in rows)]
    texts = [_show(field, row[field]) for row in rows]
    if field in ("id", "tags"):
        return [b"".join(text or b"" for text in texts)]
    lengths = [-1 if text is None else len(text) for text in texts]
    return [struct.pack(f">{len(rows)}i", *lengths), b"".join(text or b"" for text in texts)]


def _show(field: str, value: Any) -> bytes | None:
    if field == "tags":
        return json.dumps(value).encode() + b"\n"
    return None if value is None else str(value).encode()
