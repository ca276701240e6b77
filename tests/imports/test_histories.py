"""Exports that hold the history of memories, and imports that bring it back."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from support.expiry import keep_expired
from support.people import Person
from support.tokens import create_holder, fetchval
from support.variants import TEXT_FORMATS

ID = "01900000-0000-7000-8000-000000000001"
STATE = {
    "version": 1, "content": "before", "namespace": "default", "tags": [], "source": "agent",
    "source_ref": None, "metadata": None, "created_at": 1_700_000_000_000,
    "updated_at": 1_700_000_000_000,
}  # fmt: skip
ENTRY = {"version": 2, "at": 1_700_000_001_000, "kind": "content_edit", "former": STATE}
ROW = {name: value for name, value in STATE.items() if name != "version"} | {
    "id": ID, "content": "now", "history": [ENTRY],
}  # fmt: skip


def write_rows(person: Person) -> list[dict[str, Any]]:
    """A memory that was never changed, and one that was, in all of its fields."""
    plain = person.save("never changed")
    row = person.save('"té"\r\n\\ \x01 \u2028', tags=["a", '"'], metadata={"n": 1}, source_ref="r")
    address = f"/api/memories/{row['id']}"
    changes: tuple[dict[str, Any], ...] = (
        {"content": "new\\n"},
        {"metadata": {"big": 12345678901234567890, "ü": [1.5, None]}, "namespace": "other"},
        {"expires_at": 8_640_000_000_000_000},
        {"tags": [], "expires_at": None},
    )
    for change in changes:
        assert person.patch(address, json=change).status_code == 200
    raw = b'{"metadata": {"text": 1.500, "e": 1e22}}'
    assert person.patch(address, content=raw).status_code == 200
    assert person.post(f"{address}/restore", json={"version": 2}).status_code == 200
    return [plain, row]


def show_history(person: Person, memory_id: str) -> list[dict[str, Any]]:
    """The changes of a memory, without who made them and where."""
    history = person.get(f"/api/memories/{memory_id}/history").json()["history"]
    return [
        {name: entry[name] for name in ("version", "at", "kind", "former")}
        for entry in history
        if entry["kind"] != "create"
    ]


def import_rows(person: Person, *rows: dict[str, Any], **options: Any) -> dict[str, Any]:
    job = person.import_file("".join(json.dumps(row) + "\n" for row in rows), **options)
    report: dict[str, Any] = job["report"]
    return report


@pytest.mark.parametrize("format_", ["json", "ndjson"])
def test_an_export_with_histories_comes_back_byte_by_byte(
    alice: Person, bob: Person, format_: str
) -> None:
    rows = write_rows(alice)
    export = alice.export(format=format_, include=["history"])
    reports = [bob.import_file(export["payload"])["report"] for _ in range(2)]

    assert export["include"] == ["history"]
    assert [reports[0]["created"], reports[1]["unchanged"]] == [2, 2]
    assert bob.export(format=format_, include=["history"])["payload"] == export["payload"]
    assert bob.export(format=format_)["payload"] == alice.export(format=format_)["payload"]
    for row in rows:
        assert show_history(bob, row["id"]) == show_history(alice, row["id"])
    entry = bob.get(f"/api/memories/{rows[1]['id']}/history?version=2").json()["history"][0]
    assert (entry["via"], entry["by_token"]) == ("import", find_token(bob))


def find_token(person: Person) -> str:
    token: str = person.get("/api/auth/me").json()["user"]["id"]
    return token


def test_a_row_holds_its_former_states_oldest_first(alice: Person) -> None:
    plain, row = write_rows(alice)
    text = alice.export(format="ndjson", include=["history"])["payload"]
    lines = {line["id"]: line for line in map(json.loads, text.split("\n")[:-1])}

    assert lines[plain["id"]]["history"] == []
    assert lines[row["id"]]["history"] == show_history(alice, row["id"])
    assert [entry["version"] for entry in lines[row["id"]]["history"]] == [2, 3, 4, 5, 6, 7]
    assert list(lines[row["id"]])[-1] == "history"


def test_versions_go_on_where_an_imported_history_ends(alice: Person, bob: Person) -> None:
    _, row = write_rows(alice)
    bob.import_file(alice.export(format="ndjson", include=["history"])["payload"])
    address = f"/api/memories/{row['id']}"
    bob.patch(address, json={"content": "one more"})
    restored = bob.post(f"{address}/restore", json={"version": 1}).json()

    assert [entry["version"] for entry in show_history(bob, row["id"])][-2:] == [8, 9]
    assert {**restored, "updated_at": 0} == {**row, "updated_at": 0}


@pytest.mark.parametrize("format_", sorted({*TEXT_FORMATS, "okf"} - {"json", "ndjson"}))
def test_other_formats_hold_no_histories(alice: Person, format_: str) -> None:
    answer = alice.post("/api/memories/exports", json={"format": format_, "include": ["history"]})

    assert (answer.status_code, answer.json()["field"]) == (400, "include")


@pytest.mark.parametrize("wrong", [[], ["x"], ["history", "history"], "history", [1]])
def test_what_cannot_be_included_is_refused_by_name(alice: Person, wrong: Any) -> None:
    answers = [
        alice.post("/api/memories/exports", json={"include": wrong}),
        alice.post("/api/memories/exports", json={"include": ["history"], "fields": ["id"]}),
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[1].json()["field"] == "include"


def test_a_history_comes_with_a_new_memory_alone(alice: Person) -> None:
    row = {**ROW, "history": []}
    assert import_rows(alice, row)["created"] == 1
    assert import_rows(alice, ROW)["unchanged"] == 1
    assert import_rows(alice, {**ROW, "content": "other"})["skipped"] == {"conflict": 1}
    assert show_history(alice, ID) == []
    assert import_rows(alice, {**ROW, "content": "other"}, conflict="overwrite")["updated"] == 1
    (entry,) = show_history(alice, ID)
    assert entry["former"]["content"] == "now"
    assert import_rows(alice, ROW, conflict="new_ids")["created"] == 1
    (other,) = [each for each in alice.get("/api/memories").json() if each["id"] != ID]
    assert show_history(alice, other["id"]) == [ENTRY]
    assert import_rows(alice, {**ROW, "id": ID[:-1] + "2"}, dry_run=True)["created"] == 1
    assert alice.get(f"/api/memories/{ID[:-1]}2/history").status_code == 404


def test_a_memory_that_comes_back_begins_a_history_of_its_own(alice: Person) -> None:
    import_rows(alice, ROW)
    alice.patch(f"/api/memories/{ID}", json={"content": "later"})
    alice.delete(f"/api/memories/{ID}")
    before = alice.get(f"/api/memories/{ID}/history").json()["history"]
    import_rows(alice, ROW)
    alice.patch(f"/api/memories/{ID}", json={"content": "again"})
    history = show_history(alice, ID)
    text = alice.export(format="ndjson", include=["history"])["payload"]

    assert [entry["kind"] for entry in before] == [
        "create",
        "content_edit",
        "content_edit",
        "delete",
    ]
    assert [entry["version"] for entry in history] == [2, 3]
    assert json.loads(text)["history"] == history
    alice.delete(f"/api/memories/{ID}")
    after = alice.get(f"/api/memories/{ID}/history").json()["history"]
    assert [entry["former"] for entry in after] == [None] * 4


def test_a_memory_that_has_expired_gets_no_history_of_another(
    alice: Person, database_url: str
) -> None:
    row: dict[str, Any] = {**ROW, "id": str(uuid4())}
    import_rows(alice, {**row, "history": []})
    with keep_expired(database_url, row):
        assert import_rows(alice, row)["skipped"] == {"conflict": 1}
        entries = "SELECT count(*) FROM memferry.changes WHERE memory_id = $1 AND kind <> 'update'"
        assert asyncio.run(fetchval(database_url, entries, UUID(str(row["id"])))) == 0


def test_a_limited_token_brings_no_state_of_another_namespace(
    alice: Person, database_url: str
) -> None:
    row = {**ROW, "namespace": "mine"}
    with create_holder(
        alice, database_url, namespaces=("mine",),
        scopes=("memories:read", "memories:write", "exports:create"),
    ) as limited:  # fmt: skip
        job = limited.import_file(json.dumps(row))
        assert job["status"] == "failed"
        assert "history[2].former.namespace" in job["report"]["rejections"][0]["reason"]
        assert import_rows(limited, row, namespace="mine")["created"] == 1
        assert show_history(limited, ID)[0]["former"]["namespace"] == "mine"
        exported = limited.export(format="ndjson", include=["history"])["payload"]
        assert json.loads(exported)["history"] == show_history(alice, ID)
        alice.patch(f"/api/memories/{ID}", json={"namespace": "other"})
        alice.patch(f"/api/memories/{ID}", json={"namespace": "mine"})
        exported = limited.export(format="ndjson", include=["history"])["payload"]
        assert [entry["version"] for entry in json.loads(exported)["history"]] == [2]


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        (["x"], "history"),
        ([{**ENTRY, "version": 1}], "version 1 does not follow"),
        ([ENTRY, ENTRY], "version 2 does not follow"),
        ([{**ENTRY, "version": 2**31}], "version"),
        ([{**ENTRY, "kind": "delete"}], "history"),
        ([{**ENTRY, "at": -1}], "history.at"),
        ([{**ENTRY, "by_token": ID}], "by_token"),
        ([{**ENTRY, "former": {**STATE, "version": 3}}], "former.version"),
        ([{**ENTRY, "former": {**STATE, "content": ""}}], "content"),
        ([{**ENTRY, "former": {**STATE, "tags": "x"}}], "tags"),
        ([{**ENTRY, "former": {**STATE, "id": ID}}], "id"),
        ([{**ENTRY, "former": {**STATE, "expires_at": -5}}], "expires_at"),
        ([{**ENTRY, "former": {**STATE, "metadata": []}}], "metadata"),
        ([{**ENTRY, "former": None}], "former"),
    ],
)
def test_a_history_that_cannot_be_is_rejected_with_its_reason(
    alice: Person, history: Any, reason: str
) -> None:
    job = alice.import_file(json.dumps({**ROW, "history": history}))

    assert job["status"] == "failed"
    assert reason in job["report"]["rejections"][0]["reason"]
    assert alice.get("/api/memories").json() == []


def test_erasure_finds_exports_that_hold_histories(alice: Person, database_url: str) -> None:
    row = alice.save("a secret")
    alice.patch(f"/api/memories/{row['id']}", json={"content": "harmless"})
    export = alice.export(format="ndjson", include=["history"])
    assert "a secret" in export["payload"]
    answer = alice.delete(f"/api/memories/{row['id']}?purge_exports=true")
    after = alice.get(f"/api/memories/exports/{export['id']}").json()
    left = "SELECT count(*) FROM memferry.changes WHERE memory_id = $1 AND former IS NOT NULL"

    assert answer.headers["Memferry-Purged-Exports"] == "1"
    assert (after["status"], after["payload"]) == ("expired", None)
    assert asyncio.run(fetchval(database_url, left, UUID(str(row["id"])))) == 0
