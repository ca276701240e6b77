"""Many memories changed or deleted in one request: each item for itself, all in one transaction."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from support.people import Person
from support.tokens import create_holder

BATCH = "/api/memories/batch"
LONG_AGO = {"created_at": 1_000, "updated_at": 1_000}


def change(person: Person, *updates: Any) -> httpx.Response:
    return person.put(BATCH, json={"updates": list(updates)})


def delete(person: Person, ids: list[str], **query: str) -> httpx.Response:
    return person.request("DELETE", BATCH, json={"ids": ids}, params=query)


def count(person: Person) -> int:
    total: int = person.post("/api/memories/list", json={}).json()["total"]
    return total


def test_each_change_is_made_as_a_patch_makes_it(alice: Person) -> None:
    rows = [alice.save(f"tea {i}", metadata={"a": 1, "n": 1.50}) for i in range(3)]
    answer = change(
        alice,
        {"id": rows[2]["id"], "tags": ["x"]},
        {"id": rows[0]["id"], "content": "coffee", "metadata": {"a": None, "b": 2}},
    )
    result = answer.json()

    assert (answer.status_code, result["updated"], result["failed"]) == (200, 2, [])
    assert [row["id"] for row in result["results"]] == [rows[2]["id"], rows[0]["id"]]
    assert result["results"] == [alice.get(f"/api/memories/{rows[i]['id']}").json() for i in (2, 0)]
    assert result["results"][1]["metadata"] == {"n": 1.50, "b": 2}
    assert alice.get(f"/api/memories/{rows[1]['id']}").json() == rows[1]


def test_put_changes_one_memory_as_patch_does(alice: Person) -> None:
    row = alice.save("tea", metadata={"a": 1})
    changed = alice.put(f"/api/memories/{row['id']}", json={"metadata": {"b": 2}})

    assert (changed.status_code, changed.json()["metadata"]) == (200, {"a": 1, "b": 2})
    assert alice.put(f"/api/memories/{row['id']}", json={}).status_code == 400
    assert alice.put(f"/api/memories/{uuid4()}", json={"tags": []}).status_code == 404


def test_a_change_that_cannot_be_made_is_named_and_stops_no_other(
    alice: Person, bob: Person
) -> None:
    row, foreign = alice.save("tea"), bob.save("of Bob")
    nobodys = str(uuid4())
    result = change(
        alice,
        {"id": nobodys, "tags": []},
        {"id": "x", "tags": []},
        {"id": row["id"], "content": ""},
        {"id": row["id"]},
        {"tags": ["no id"]},
        {"id": row["id"], "tags": [1]},
        {"id": foreign["id"], "tags": ["mine"]},
        3,
        {"id": row["id"], "tags": ["good"]},
    ).json()

    assert [(each["index"], each["id"]) for each in result["failed"]] == [
        (0, nobodys), (1, "x"), (2, row["id"]), (3, row["id"]), (4, None), (5, row["id"]),
        (6, foreign["id"]), (7, None),
    ]  # fmt: skip
    assert "not found" in result["failed"][0]["error"]
    assert "content" in result["failed"][2]["error"]
    assert result["updated"] == len(result["results"]) == 1
    assert result["results"][0]["tags"] == ["good"]
    assert bob.get(f"/api/memories/{foreign['id']}").json() == foreign


def test_changes_of_one_memory_are_made_in_their_order(alice: Person) -> None:
    row = alice.save("tea")
    result = change(
        alice,
        {"id": row["id"], "content": "first", "metadata": {"a": 1}},
        {"id": row["id"], "content": "second", "metadata": {"b": 2}},
    ).json()

    assert (result["updated"], result["failed"]) == (2, [])
    assert [each["content"] for each in result["results"]] == ["second", "second"]
    assert result["results"][0]["metadata"] == {"a": 1, "b": 2}


def test_a_limited_token_changes_and_deletes_within_its_namespaces_alone(
    alice: Person, database_url: str
) -> None:
    inside, outside = alice.save("in", namespace="work"), alice.save("out", namespace="home")
    with create_holder(alice, database_url, namespaces=("work",)) as limited:
        result = change(
            limited,
            {"id": inside["id"], "namespace": "home"},
            {"id": outside["id"], "tags": ["x"]},
            {"id": inside["id"], "tags": ["x"]},
        ).json()
        removed = delete(limited, [inside["id"], outside["id"]], purge_exports="true").json()

    assert [each["index"] for each in result["failed"]] == [0, 1]
    assert [row["tags"] for row in result["results"]] == [["x"]]
    assert removed == {"deleted": 1, "missing": [outside["id"]]}
    assert alice.get(f"/api/memories/{outside['id']}").json() == outside


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "updates"),
        ({"updates": {}}, "updates"),
        ({"updates": [{}] * 201}, "updates"),
        ({"updates": [], "other": 1}, "other"),
    ],
)
def test_a_wrong_batch_of_changes_is_refused_by_name(
    alice: Person, body: dict[str, Any], field: str
) -> None:
    answer = alice.put(BATCH, json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_an_empty_batch_changes_and_deletes_nothing(alice: Person) -> None:
    assert change(alice).json() == {"updated": 0, "failed": [], "results": []}
    assert delete(alice, []).json() == {"deleted": 0, "missing": []}


def test_large_changed_memories_come_back_whole(alice: Person) -> None:
    rows = [alice.save(f"{i}" + "é" * 400_000) for i in range(4)]
    result = change(alice, *({"id": row["id"], "tags": ["x"]} for row in rows)).json()

    assert [row["content"] for row in result["results"]] == [row["content"] for row in rows]


def test_metadata_that_would_grow_too_large_fails_alone(alice: Person) -> None:
    row, other = alice.save("x"), alice.save("y", metadata={"old": "m" * 600_000})
    grown = {"id": other["id"], "metadata": {"new": "n" * 600_000}}
    result = change(alice, grown, {"id": row["id"], "tags": ["z"]}).json()

    assert [(each["index"], "metadata" in each["error"]) for each in result["failed"]] == [
        (0, True)
    ]
    assert [each["id"] for each in result["results"]] == [row["id"]]


def test_a_batch_of_deletions_names_what_was_missing(alice: Person, bob: Person) -> None:
    rows, foreign, nobodys = [alice.save(f"{i}") for i in range(3)], bob.save("b"), str(uuid4())
    kept = alice.save("kept")
    ids = [row["id"] for row in rows]
    answer = delete(alice, [*ids, ids[0].upper(), nobodys, "x", nobodys, foreign["id"]])

    assert answer.status_code == 200
    assert "Memferry-Purged-Exports" not in answer.headers
    assert answer.json() == {"deleted": 3, "missing": [nobodys, "x", foreign["id"]]}
    assert [row["id"] for row in alice.get("/api/memories").json()] == [kept["id"]]
    assert bob.get(f"/api/memories/{foreign['id']}").json() == foreign


def test_a_batch_of_deletions_purges_the_exports_of_each(alice: Person) -> None:
    # Of a memory that was changed within the hour an export counts as holding it, whatever its
    # filters.
    alice.save_many([{"content": name, "namespace": name, **LONG_AGO} for name in "tmk"])
    ids = {row["content"]: row["id"] for row in alice.get("/api/memories").json()}
    exports = {name: alice.export(namespace=name) for name in "tmk"}
    answer = delete(alice, [ids["t"], ids["m"], str(uuid4())], purge_exports="true")
    states = {
        name: alice.get(f"/api/memories/exports/{export['id']}").json()["status"]
        for name, export in exports.items()
    }

    assert answer.headers["Memferry-Purged-Exports"] == "2"
    assert states == {"t": "expired", "m": "expired", "k": "completed"}


def test_deletions_of_a_batch_are_in_the_audit_and_in_the_usage(
    alice: Person, database_url: str
) -> None:
    rows = [alice.save(f"tea {i}") for i in range(5)]
    delete(alice, [row["id"] for row in rows])
    with create_holder(alice, database_url, scopes=("admin",)) as admin:
        entries = admin.get("/api/audit", params={"event": "memory.deleted"}).json()["entries"]
    limits = alice.get("/api/limits").json()

    assert {entry["subject"] for entry in entries} == {row["id"] for row in rows}
    assert (limits["memories"]["used"], limits["memory_bytes"]["used"]) == (0, 0)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ids"),
        ({"ids": "x"}, "ids"),
        ({"ids": [3]}, "ids[0]"),
        ({"ids": ["x"] * 501}, "ids"),
        ({"ids": [], "purge_exports": True}, "purge_exports"),
    ],
)
def test_a_wrong_batch_of_deletions_is_refused_by_name(
    alice: Person, body: dict[str, Any], field: str
) -> None:
    row = alice.save("kept")
    answer = alice.request("DELETE", BATCH, json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert alice.get(f"/api/memories/{row['id']}").json() == row


def test_webhooks_are_told_of_each_memory_of_a_batch(alice: Person) -> None:
    hook = alice.post("/api/webhooks", json={"url": "http://127.0.0.1:9/"}).json()
    rows = [alice.save(f"{i}") for i in range(3)]
    change(alice, *({"id": row["id"], "tags": ["x"]} for row in rows))
    delete(alice, [row["id"] for row in rows])
    told = alice.get(f"/api/webhooks/{hook['id']}/deliveries").json()["deliveries"]

    assert sorted(each["event"] for each in told) == [
        *["memory.deleted"] * 3, *["memory.saved"] * 3, *["memory.updated"] * 3,
    ]  # fmt: skip
