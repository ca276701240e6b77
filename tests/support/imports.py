"""Files of memories that tests import."""

import json
from typing import Any
from uuid import uuid4


def make_row(content: str = "Likes tea.", **more: Any) -> dict[str, Any]:
    """A memory object as our exports have it."""
    row: dict[str, Any] = {
        "id": str(uuid4()), "content": content, "namespace": "default", "tags": [],
        "source": "agent", "source_ref": None, "metadata": None,
        "created_at": 1_700_000_000_000, "updated_at": 1_700_000_000_001,
    }  # fmt: skip
    return row | more


def write_ndjson(*rows: dict[str, Any]) -> bytes:
    """The rows as an export in NDJSON."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
