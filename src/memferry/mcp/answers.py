"""Answers to models: short, with times that can be read, and with a mark on what is cut."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from memferry.client.exact_json import encode_exact
from memferry.wire.memories import Hit, MemoryRow
from memferry.wire.schema import Json

ANSWER_CHARACTERS = 40_000
"""About so many characters the memories of one answer have together."""
PIECE_CHARACTERS = 20_000
"""As much of one text a call shows."""
_LONGEST_PREVIEW, _SHORTEST_PREVIEW = 2000, 200


def show_memories(rows: Sequence[MemoryRow]) -> list[Json]:
    """Show memories of a list; the more there are, the sooner a long one is cut."""
    share = ANSWER_CHARACTERS // max(len(rows), 1)
    most = min(max(share, _SHORTEST_PREVIEW), _LONGEST_PREVIEW)
    return [show_memory(row, most) for row in rows]


def show_memory(row: MemoryRow, most: int) -> Json:
    """Show one memory; `cut` names the fields that are longer than `most` characters."""
    fields: Json = {
        "id": str(row.id),
        "content": row.content,
        "namespace": row.namespace,
        "tags": row.tags,
        "source": row.source,
        "source_ref": row.source_ref,
        "metadata": row.metadata,
        "created_at": show_time(row.created_at),
        "updated_at": show_time(row.updated_at),
    }
    if isinstance(row.expires_at, int):
        fields["expires_at"] = show_time(row.expires_at)
    if isinstance(row, Hit):
        fields["score"] = round(row.score, 4)
    shown = {name: value for name, value in fields.items() if value not in (None, [], {})}
    cut = [name for name, value in shown.items() if _measure(value) > most]
    for name in cut:
        shown[name] = shown[name][:most] if isinstance(shown[name], str) else "(too long)"
    return {**shown, "cut": cut} if cut else shown


def show_piece(text: str, offset: int) -> Json:
    """Show a piece of a long text; `next_offset` is where the next one begins."""
    end = offset + PIECE_CHARACTERS
    piece: Json = {"content": text[offset:end]}
    if offset or end < len(text):
        piece["content_characters"] = len(text)
    if end < len(text):
        piece["next_offset"] = end
    return piece


def show_time(time_ms: int) -> str:
    """Show epoch milliseconds as ISO 8601 in UTC; years beyond 9999 as the number they are."""
    try:
        time = datetime.fromtimestamp(time_ms // 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return str(time_ms)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03}Z"


def add_cursor(answer: Json, cursor: str | None) -> Json:
    """Add the cursor of the next page, if there is one."""
    return answer if cursor is None else {**answer, "next_cursor": cursor}


def _measure(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(encode_exact(value))
