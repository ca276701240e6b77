"""Files become memories: exactly, once, all or nothing, with a report that is true."""

import json
from typing import Any
from uuid import uuid4

import pytest

from support.memories import AWKWARD
from support.people import Person


def make_row(content: str = "Likes tea.", **more: Any) -> dict[str, Any]:
    """A memory object as our exports have it."""
    row: dict[str, Any] = {
        "id": str(uuid4()), "content": content, "namespace": "default", "tags": [],
        "source": "agent", "source_ref": None, "metadata": None,
        "created_at": 1700000000000, "updated_at": 1700000000001,
    }  # fmt: skip
    return row | more


def write_ndjson(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def save_awkward(person: Person) -> None:
    person.save_many(
        [
            {"content": text, "namespace": text, "tags": [text, "b"], "source": text}
            | {
                "source_ref": text,
                "metadata": {text: [1, None, text]},
                "created_at": 1_700_000_000_000 + number,
            }
            for number, text in enumerate(AWKWARD)
        ]
    )


@pytest.mark.parametrize("file_format", ["ndjson", "json"])
def test_an_export_comes_back_byte_for_byte_in_an_empty_tenant(
    alice: Person, bob: Person, file_format: str
) -> None:
    save_awkward(alice)
    before = alice.export(format=file_format)["payload"]
    job = bob.import_file(before.encode())
    after = bob.export(format=file_format)["payload"]

    assert job["status"] == "completed", job["error"]
    assert job["report"]["created"] == job["row_count"] == len(AWKWARD)
    assert after == before


def test_a_second_import_changes_nothing(alice: Person) -> None:
    file = write_ndjson(make_row("one"), make_row("two", tags=["a"], metadata={"b": 1.5}))
    first, second = alice.import_file(file), alice.import_file(file)

    assert first["report"]["created"] == 2, first
    assert second["report"]["unchanged"] == 2
    assert second["row_count"] == second["report"]["created"] == 0


def test_one_bad_record_leaves_nothing_and_is_named(alice: Person) -> None:
    file = write_ndjson(make_row("good"), make_row(""), make_row("also good"))
    job = alice.import_file(file)

    assert (job["status"], job["error_code"]) == ("failed", "records_rejected")
    assert job["report"]["rejections"] == [
        {"file": "", "at": "line 2", "reason": "content: must not be empty"}
    ]
    assert alice.get("/api/memories").json() == []


def test_on_error_skip_keeps_what_is_good(alice: Person) -> None:
    file = write_ndjson(make_row("good"), make_row(""), make_row("also good"))
    job = alice.import_file(file, on_error="skip")

    assert (job["status"], job["report"]["created"], job["report"]["rejected"]) == (
        "completed", 2, 1,
    )  # fmt: skip
