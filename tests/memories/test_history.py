"""The change log: what happened to a memory, when and by whom, and the way back."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from memferry.database.sql import sql
from memferry.memories.history import FORMER_BYTES, MemoryHistory
from memferry.model.token import Caller
from memferry.settings import Quotas
from support.people import Person
from support.postgres import open_database
from support.tokens import create_holder, fetchval, read_tenant_id

STATE = (
    "content", "namespace", "tags", "source", "source_ref", "metadata", "created_at", "updated_at",
)  # fmt: skip


def read_history(person: Person, row: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    answer = person.get(f"/api/memories/{row['id']}/history", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["memory_id"] == row["id"]
    entries: list[dict[str, Any]] = answer.json()["history"]
    return entries


def change(person: Person, row: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = person.patch(f"/api/memories/{row['id']}", json=fields)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


def restore(person: Person, row: dict[str, Any], version: int) -> Any:
    return person.post(f"/api/memories/{row['id']}/restore", json={"version": version})


def find_token(person: Person) -> str:
    token: str = person.get("/api/auth/me").json()["user"]["id"]
    return token


def test_every_change_is_an_entry_with_the_state_before_it(alice: Person) -> None:
    states = [alice.save('té "1"', tags=["a", "b"], metadata={"n": 1.50}, source_ref="r")]
    states.append(change(alice, states[0], content="coffee"))
    states.append(change(alice, states[0], tags=[], namespace="other", metadata={"n": None}))
    entries, token = read_history(alice, states[0]), find_token(alice)

    assert [(each["version"], each["kind"]) for each in entries] == [
        (1, "create"), (2, "content_edit"), (3, "update"),
    ]  # fmt: skip
    assert [each["prev_content_len"] for each in entries] == [None, 6, 6]
    assert {each["by_token"] for each in entries} == {each["by_user"] for each in entries}
    assert {each["by_token"] for each in entries} == {token}
    assert [each["via"] for each in entries] == [None, "api", "api"]
    assert entries[0]["at"] == states[0]["created_at"]
    assert entries[0]["former"] is None
    for version, entry in enumerate(entries[1:], 1):
        assert entry["former"] == {"version": version} | {
            name: states[version - 1][name] for name in STATE
        }
        assert abs(entry["at"] - states[version]["updated_at"]) < 1000


def test_a_change_to_the_same_values_is_no_version(alice: Person) -> None:
    row = alice.save("tea", tags=["a"], metadata={"n": 1})
    again = change(alice, row, content="tea", tags=["a"], metadata={"n": 1})

    assert again["updated_at"] > row["updated_at"]
    assert len(read_history(alice, row)) == 1


def test_every_way_to_change_memories_is_in_their_history(alice: Person, database_url: str) -> None:
    rows = [alice.save(f"tea {i}", namespace="before") for i in range(2)]
    ids = [row["id"] for row in rows]
    alice.put("/api/memories/batch", json={"updates": [{"id": ids[0], "tags": ["x"]}]})
    (project,) = alice.get("/api/projects").json()["projects"]
    alice.patch(f"/api/projects/{project['id']}", json={"name": "after"})
    file = json.dumps([{**rows[0], "content": "imported"}])
    assert alice.import_file(file, conflict="overwrite")["status"] == "completed"
    alice.request("DELETE", "/api/memories/batch", json={"ids": ids[1:]})
    projects = alice.get("/api/projects").json()["projects"]
    for each in projects:
        alice.delete(f"/api/projects/{each['id']}")

    ways = [(each["kind"], each["via"]) for each in read_history(alice, rows[0])]
    assert ways == [
        ("create", None), ("update", "batch"), ("update", "project"), ("content_edit", "import"),
        ("delete", "project"),
    ]  # fmt: skip
    assert {each["by_token"] for each in read_history(alice, rows[0])} == {find_token(alice)}
    assert [each["via"] for each in read_history(alice, rows[1])] == [None, "project", "batch"]
    tenant = asyncio.run(read_tenant_id(alice, database_url))
    count = "SELECT count(*) FROM memferry.changes WHERE tenant_id = $1"
    assert asyncio.run(fetchval(database_url, count, tenant)) == 6


def test_an_owner_who_changes_rows_by_hand_is_logged_as_operator(
    alice: Person, database_url: str
) -> None:
    row = alice.save("tea")
    update = "UPDATE memferry.memories SET content = 'x' WHERE id = $1 RETURNING id"
    asyncio.run(fetchval(database_url, update, row["id"]))
    entry = read_history(alice, row)[1]

    assert (entry["via"], entry["by_token"]) == ("operator", None)
    assert entry["former"]["content"] == "tea"


def test_a_former_version_comes_back_as_a_change_like_any_other(alice: Person) -> None:
    first = alice.save("tea\r\n", tags=["a"], metadata={"n": 1}, source="s", source_ref="r")
    change(alice, first, content="coffee", tags=[], metadata={"n": None, "é": 2}, namespace="b")
    restored = restore(alice, first, 1)
    entries = read_history(alice, first)

    assert restored.status_code == 200
    assert {**restored.json(), "updated_at": 0} == {**first, "updated_at": 0}
    assert [each["kind"] for each in entries] == ["create", "content_edit", "restore"]
    assert entries[2]["former"]["content"] == "coffee"
    # The way back has a way back.
    assert restore(alice, first, 2).json()["metadata"] == {"é": 2}
    assert alice.get(f"/api/memories/{first['id']}").json()["namespace"] == "b"


def test_restoring_the_version_that_is_there_changes_nothing(alice: Person) -> None:
    row = change(alice, alice.save("tea"), content="coffee")

    assert restore(alice, row, 2).json() == row
    assert len(read_history(alice, row)) == 2


def test_a_version_that_never_was_is_not_found(alice: Person) -> None:
    row = alice.save("tea")
    for version in (2, 9, 2**31 - 2):
        answer = restore(alice, row, version)
        assert (answer.status_code, answer.json()["code"]) == (404, "version_not_found")
    for wrong in (0, -1, 2**31, "1", None, 1.5):
        answer = alice.post(f"/api/memories/{row['id']}/restore", json={"version": wrong})
        assert (answer.status_code, answer.json()["field"]) == (400, "version")


def test_a_deleted_memory_has_a_history_without_words(alice: Person, database_url: str) -> None:
    row = alice.save("a secret of tea", tags=["hidden tag"], metadata={"k": "kept"}, source_ref="x")
    change(alice, row, content="a secret of coffee", namespace="hidden place")
    alice.delete(f"/api/memories/{row['id']}")
    entries = read_history(alice, row)
    left = asyncio.run(
        fetchval(
            database_url,
            "SELECT string_agg(changes::text, ' ') FROM memferry.changes WHERE memory_id = $1",
            row["id"],
        )
    )

    assert [each["kind"] for each in entries] == ["create", "content_edit", "delete"]
    assert [each["former"] for each in entries] == [None, None, None]
    assert entries[2]["prev_content_len"] == len("a secret of coffee")
    assert entries[0]["at"] == row["created_at"]
    for word in ("secret", "hidden", "kept", "agent", "default"):
        assert word not in left
    answer = restore(alice, row, 1)
    assert (answer.status_code, answer.json()["code"]) == (409, "memory_deleted")


def test_a_stranger_learns_nothing_of_a_history(alice: Person, bob: Person) -> None:
    living, gone = alice.save("tea"), alice.save("tea")
    alice.delete(f"/api/memories/{gone['id']}")
    for row in (living, gone, {"id": str(uuid4())}):
        answers = [bob.get(f"/api/memories/{row['id']}/history"), restore(bob, row, 1)]
        assert [(each.status_code, each.json()["code"]) for each in answers] == [
            (404, "memory_not_found")
        ] * 2


def test_a_limited_token_sees_only_changes_within_its_namespaces(
    alice: Person, database_url: str
) -> None:
    row = alice.save("of the other", namespace="other")
    change(alice, row, namespace="mine")
    change(alice, row, content="mine now")
    away = alice.save("was mine", namespace="mine")
    change(alice, away, namespace="other")
    gone = alice.save("gone", namespace="mine")
    hidden = alice.save("hidden", namespace="other")
    for each in (gone, hidden):
        alice.delete(f"/api/memories/{each['id']}")
    with create_holder(alice, database_url, namespaces=("mine",)) as limited:
        entries = read_history(limited, row)
        assert [(each["version"], each["kind"]) for each in entries] == [(3, "content_edit")]
        assert restore(limited, row, 1).status_code == 404
        assert restore(limited, row, 2).json()["content"] == "of the other"
        assert [each["kind"] for each in read_history(limited, gone)] == ["create", "delete"]
        for each in (away, hidden):
            assert limited.get(f"/api/memories/{each['id']}/history").status_code == 404
            assert restore(limited, each, 1).status_code == 404


def test_a_history_has_pages(alice: Person) -> None:
    row = alice.save("tea 0")
    for number in range(1, 7):
        change(alice, row, content=f"tea {number}")
    url: str | None = f"/api/memories/{row['id']}/history?limit=3"
    versions = []
    while url:
        answer = alice.get(url)
        versions.append([each["version"] for each in answer.json()["history"]])
        assert ("next_cursor" in answer.json()) == ("next" in answer.links)
        url = answer.links.get("next", {}).get("url")

    assert versions == [[1, 2, 3], [4, 5, 6], [7]]
    assert [each["version"] for each in read_history(alice, row, version=5)] == [5]
    assert alice.get(f"/api/memories/{row['id']}/history?version=8").status_code == 404
    assert alice.get(f"/api/memories/{row['id']}/history?version=0").status_code == 400


def test_an_answer_holds_so_many_bytes_of_former_states_and_all_can_be_had(alice: Person) -> None:
    text = "x" * 1_000_000
    row = alice.save(text)
    for number in range(6):
        change(alice, row, content=f"{number}{text}")
    entries = read_history(alice, row)
    held = [each["former"] is not None for each in entries]

    assert held == [False, True, True, True, True, False, False]
    assert all(each["former_bytes"] > 1_000_000 for each in entries[1:])
    assert sum(each["former_bytes"] for each in entries[1:5]) <= FORMER_BYTES
    (last,) = read_history(alice, row, version=7)
    assert last["former"]["content"] == f"4{text}"


@pytest.mark.parametrize(
    ("quotas", "kept"),
    [
        (Quotas(history_versions=2), [1, 5, 6]),
        (Quotas(history_bytes=450), [1, 5, 6]),
        (Quotas(history_bytes=1), [1, 6]),
    ],
)
async def test_of_each_memory_the_newest_versions_are_kept(
    alice: Person, database_url: str, quotas: Quotas, kept: list[int]
) -> None:
    row, other = alice.save("tea"), change(alice, alice.save("other"), content="changed")
    for number in range(4):
        change(alice, row, content=f"tea {number}")
    tenant = await read_tenant_id(alice, database_url)
    async with (
        open_database(database_url, quotas=quotas) as database,
        database.tenant(tenant) as connection,
    ):
        await connection.fetch(
            sql("memories/change_memory"), row["id"], "last", None, None, None, 10**9, False, None
        )

    assert [each["version"] for each in read_history(alice, row)] == kept
    assert len(read_history(alice, other)) == 2


async def test_a_restoration_counts_what_a_tenant_may_have(
    alice: Person, database_url: str
) -> None:
    row = alice.save("a long text")
    change(alice, row, content="short")
    tenant = await read_tenant_id(alice, database_url)
    used = alice.get("/api/limits").json()
    async with open_database(database_url) as database:
        await MemoryHistory(database).restore(Caller(tenant_id=tenant), row["id"], 1)

    assert alice.get("/api/limits").json() != used
    assert alice.get(f"/api/memories/{row['id']}").json()["content"] == "a long text"


def test_a_memory_from_before_the_log_has_a_history_from_then_on(
    alice: Person, database_url: str
) -> None:
    rows = [alice.save("tea", source="old") for _ in range(2)]
    age = (
        "UPDATE memferry.memories SET saved_at = NULL, saved_by = NULL, changed_in = NULL "
        "WHERE id = ANY ($1::uuid[]) AND source = 'old'"
    )
    asyncio.run(fetchval(database_url, age, [row["id"] for row in rows]))
    change(alice, rows[0], content="coffee")
    assert restore(alice, rows[0], 1).json()["content"] == "tea"
    for row in rows:
        alice.delete(f"/api/memories/{row['id']}")
    histories = [read_history(alice, row) for row in rows]

    assert [[each["kind"] for each in history] for history in histories] == [
        ["create", "content_edit", "restore", "delete"], ["create", "delete"],
    ]  # fmt: skip
    for row, (created, *_) in zip(rows, histories, strict=True):
        assert (created["at"], created["by_token"]) == (row["created_at"], None)
