"""Files become memories: exactly, once, all or nothing, with a report that is true."""

import gzip
import io
import json
import zipfile
from typing import Any
from uuid import UUID

import pytest

from support.imports import make_row, write_ndjson
from support.memories import AWKWARD
from support.people import Person


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


@pytest.mark.parametrize(
    "form",
    [{"format": "ndjson"}, {"format": "json"}, {"format": "csv", "csv_metadata": True}],
    ids=lambda form: form["format"],
)
def test_an_export_comes_back_byte_for_byte_in_an_empty_tenant(
    alice: Person, bob: Person, form: dict[str, Any]
) -> None:
    save_awkward(alice)
    before = alice.export(**form)["payload"]
    job = bob.import_file(before.encode())
    after = bob.export(**form)["payload"]

    assert job["status"] == "completed", job["error"]
    assert job["report"]["created"] == job["row_count"] == len(AWKWARD)
    assert after == before


@pytest.mark.parametrize("spaces", [None, 2], ids=["as it came", "formatted"])
@pytest.mark.parametrize("form", [{"format": "ndjson"}, {"format": "csv", "csv_metadata": True}])
def test_the_answer_of_an_export_comes_back_like_the_file_in_it(
    alice: Person, bob: Person, form: dict[str, Any], spaces: int | None
) -> None:
    save_awkward(alice)
    answer = alice.export(**form)
    job = bob.import_file(json.dumps(answer, indent=spaces).encode())

    assert job["status"] == "completed", job["error"]
    assert bob.export(**form)["payload"] == answer["payload"]


def test_an_answer_without_its_payload_or_with_another_one_is_refused(alice: Person) -> None:
    alice.save("one")
    answer = alice.export()
    reasons = [
        alice.import_file(json.dumps(answer | change).encode())["error"]
        for change in ({"payload": None}, {"payload": "[]"}, {"payload": 7})
    ]

    assert [reason.partition(" of an export")[2] for reason in reasons] == [
        " without a payload: send the file of its link",
        " whose payload was changed",
        ", and damaged: Expected `str | null`, got `int` - at `$.payload`",
    ]


@pytest.mark.parametrize("file_format", ["parquet", "okf"])
def test_a_file_of_a_binary_format_comes_back_byte_for_byte(
    alice: Person, bob: Person, file_format: str
) -> None:
    save_awkward(alice)
    before = alice.download(alice.export(format=file_format))
    job = bob.import_file(before)

    assert job["status"] == "completed", job["error"]
    assert job["report"]["created"] == job["row_count"] == len(AWKWARD)
    assert bob.export(format="ndjson")["payload"] == alice.export(format="ndjson")["payload"]
    assert bob.download(bob.export(format=file_format)) == before


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


def test_an_import_without_one_good_record_fails_whatever_was_asked_for(alice: Person) -> None:
    job = alice.import_file(write_ndjson(make_row(""), make_row("")), on_error="skip")

    assert (job["status"], job["error_code"]) == ("failed", "records_rejected")
    assert job["report"]["rejected"] == 2


def test_a_file_that_came_alone_is_called_the_file(alice: Person) -> None:
    job = alice.import_file(gzip.compress(write_ndjson(make_row("cut off")))[:-9])

    assert job["error"].startswith("file: the file is damaged or cut off")


def test_an_import_tells_what_it_is(alice: Person) -> None:
    file = write_ndjson(make_row())
    answer = alice.post("/api/memories/imports", content=file, params={"name": "a.ndjson"})
    created = answer.json()
    ended = alice.wait_for_import(created)

    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/memories/imports/{created['id']}"
    assert (created["status"], created["report"]) == ("pending", None)
    assert created["file_bytes"] == ended["file_bytes"] == len(file)
    assert ended["options"]["name"] == "a.ndjson"
    assert ended["report"]["sources"] == ["memferry"]
    assert ended["completed_at"] >= ended["created_at"]
    assert alice.get("/api/memories/imports").json()["imports"] == [ended]


def test_a_dry_run_reports_the_same_and_stores_nothing(alice: Person) -> None:
    known = make_row("known")
    alice.import_file(write_ndjson(known))
    file = write_ndjson(known, known | {"content": "changed"}, make_row("new"), make_row("new"))
    dry = alice.import_file(file, dry_run=True, conflict="overwrite")
    before = alice.export()["payload"]
    real = alice.import_file(file, conflict="overwrite")

    assert dry["report"] == real["report"]
    assert (dry["report"]["created"], dry["row_count"], real["row_count"]) == (2, 0, 2)
    assert before.count("known") == 1
    assert "new" not in before


def test_a_record_that_differs_is_skipped_unless_it_is_to_overwrite(alice: Person) -> None:
    row = make_row("one", updated_at=1_700_000_000_001)
    alice.import_file(write_ndjson(row))
    changed = write_ndjson(row | {"content": "two", "tags": ["t"]})
    skipped = alice.import_file(changed)["report"]
    kept = alice.get(f"/api/memories/{row['id']}").json()
    updated = alice.import_file(changed, conflict="overwrite")["report"]
    after = alice.get(f"/api/memories/{row['id']}").json()
    again = alice.import_file(changed, conflict="overwrite")["report"]

    assert (skipped["skipped"], kept["content"]) == ({"conflict": 1}, "one")
    assert (updated["updated"], after["content"], after["tags"]) == (1, "two", ["t"])
    assert after["created_at"] == row["created_at"]
    assert after["updated_at"] > row["updated_at"]
    assert (again["unchanged"], again["updated"]) == (1, 0)


def test_new_ids_make_more_memories_of_the_same_records(alice: Person) -> None:
    rows = [make_row("one"), make_row("two")]
    for _ in range(2):
        alice.import_file(write_ndjson(*rows), conflict="new_ids")
    memories = alice.get("/api/memories").json()

    assert sorted(memory["content"] for memory in memories) == ["one", "one", "two", "two"]
    assert len({memory["id"] for memory in memories} | {row["id"] for row in rows}) == 6
    assert {memory["created_at"] for memory in memories} == {rows[0]["created_at"]}


def test_of_records_with_one_id_in_a_file_the_first_counts(alice: Person) -> None:
    row = make_row("first")
    file = write_ndjson(row, row | {"content": "second"}, row | {"content": "third"})
    report = alice.import_file(file, conflict="overwrite")["report"]

    assert (report["created"], report["skipped"]) == (1, {"duplicate": 2})
    assert alice.get(f"/api/memories/{row['id']}").json()["content"] == "first"


def test_a_foreign_record_gets_the_same_id_again_and_says_where_its_time_is_from(
    alice: Person,
) -> None:
    file = b"[2026-01-15] - Prefers ferries\n[unknown] - Keeps bees\n"
    first, second = alice.import_file(file), alice.import_file(file)
    dated, undated = sorted(alice.get("/api/memories").json(), key=lambda row: row["created_at"])

    assert (first["report"]["created"], second["report"]["unchanged"]) == (2, 2)
    assert UUID(dated["id"]).int >> 80 == dated["created_at"]
    assert UUID(undated["id"]).int >> 80 == 0
    assert dated["metadata"]["import"]["time_from"] != "import"
    assert undated["metadata"]["import"]["time_from"] == "import"
    assert undated["created_at"] >= first["created_at"]
    assert {dated["namespace"], dated["source"], undated["namespace"]} == {"paste"}


def test_namespace_and_tags_of_the_request_go_to_each_record(alice: Person) -> None:
    file = write_ndjson(make_row(namespace="a", tags=["x"]), make_row(tags=["x", "y"]))
    alice.import_file(file, namespace="home", tags=["y", "z"])
    memories = alice.get("/api/memories").json()

    assert {memory["namespace"] for memory in memories} == {"home"}
    assert [sorted(memory["tags"]) for memory in memories] == [["x", "y", "z"]] * 2


def test_files_of_a_form_are_read_as_if_each_had_been_sent(alice: Person) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inside.ndjson", write_ndjson(make_row("packed")))
    files = [
        ("file", ("a.ndjson", write_ndjson(make_row("plain"), make_row("")))),
        ("file", ("b.zip", packed.getvalue())),
        ("file", ("notes.txt", b"[2026-01-15] - pasted\n")),
    ]
    answer = alice.post("/api/memories/imports", files=files, params={"on_error": "skip"})
    report = alice.wait_for_import(answer.json())["report"]

    assert (report["created"], report["files"]) == (3, 3)
    assert report["sources"] == ["memferry", "paste"]
    assert [rejection["file"] for rejection in report["rejections"]] == ["a.ndjson"]


def test_what_is_no_file_of_memories_says_what_it_is(alice: Person) -> None:
    job = alice.import_file(b"%PDF-1.7 and so on")

    assert (job["status"], job["error_code"], job["report"]) == ("failed", "unknown_input", None)
    assert "PDF" in job["error"]


def test_every_bad_record_is_counted_and_the_first_hundred_are_named(alice: Person) -> None:
    file = write_ndjson(*(make_row("") for _ in range(150)))
    report = alice.import_file(file)["report"]

    assert (report["read"], report["rejected"], len(report["rejections"])) == (150, 150, 100)


def test_what_a_save_would_refuse_is_rejected(alice: Person) -> None:
    nested: Any = {}
    for _ in range(64):
        nested = {"a": nested}
    bad: dict[str, Any] = {
        "content": "x" * (1024 * 1024 + 1),
        "tags": ["t"] * 1001,
        "namespace": "n" * 513,
        "source_ref": "r" * 4097,
        "metadata": nested,
        "created_at": -1,
        "id": "ffffffff-0000-7000-8000-000000000000",
    }
    rows = [make_row(**{field: value}) for field, value in bad.items()]
    job = alice.import_file(write_ndjson(make_row("good"), *rows), on_error="skip")

    assert job["report"]["created"] == 1, job
    assert job["report"]["rejected"] == len(bad)
    for field, rejection in zip(bad, job["report"]["rejections"], strict=True):
        assert rejection["reason"].startswith(field), rejection
