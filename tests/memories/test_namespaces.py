"""A token that is limited to namespaces reaches nothing else, whatever it asks."""

import asyncio
import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any

import asyncpg
import httpx
import pytest

from memferry.database.pool import SERVICE_ROLE, Database
from memferry.errors import NamespaceForbidden
from memferry.exports.request import ExportRequest
from memferry.filters.token_namespaces import TokenNamespaces
from memferry.jobs.queue import Queue
from memferry.model.token import Caller
from memferry.settings import DatabaseSettings, WorkerSettings
from support.people import Person
from support.postgres import open_database
from support.tokens import create_admin, create_holder, fetchval

# Names that would end a text, an array or a statement.
ODD = "it's; \"{b},\\ é\n"
MINE = ("mine", ODD)


@pytest.fixture
def limited(alice: Person, database_url: str) -> Iterator[Person]:
    """Alice by a token that is limited to two namespaces."""
    with create_holder(alice, database_url, namespaces=MINE) as person:
        yield person


@pytest.fixture
def rows(alice: Person) -> dict[str, dict[str, Any]]:
    """A memory in each namespace, all alike."""
    return {
        name: alice.save(f"tea in {name}", namespace=name, tags=["t"], metadata={"parent_ref": "p"})
        for name in ("default", "mine", ODD, "other")
    }


def namespaces(memories: list[dict[str, Any]]) -> set[str]:
    return {each["namespace"] for each in memories}


def test_a_limited_token_finds_only_memories_of_its_namespaces(
    limited: Person, rows: dict[str, Any]
) -> None:
    assert rows
    body = {"queries": ["tea", "other"]}
    bulk = limited.post("/api/memories/search/bulk", json=body).json()["results"]
    found = [
        limited.get("/api/memories").json(),
        limited.get("/api/memories?q=tea").json(),
        bulk[0]["hits"],
        limited.get("/api/recall/unified?q=tea").json()["memories"],
        limited.get("/api/threads/p").json()["chunks"],
    ]

    assert [namespaces(each) for each in found] == [set(MINE)] * 5
    assert bulk[1]["hits"] == []
    assert limited.get("/api/memories?namespace=other").json() == []
    assert {each["name"] for each in limited.get("/api/namespaces").json()} == set(MINE)


def test_a_memory_of_another_namespace_is_not_found_by_a_limited_token(
    alice: Person, limited: Person, rows: dict[str, Any]
) -> None:
    path = f"/api/memories/{rows['other']['id']}"
    answers = [limited.get(path), limited.patch(path, json={"tags": []}), limited.delete(path)]
    nobody = limited.get("/api/memories/00000000-0000-0000-0000-000000000000")

    assert [each.status_code for each in answers] == [404] * 3
    assert {each.content for each in answers} == {nobody.content}
    assert alice.get(path).json() == rows["other"]


def test_a_limited_token_changes_and_deletes_memories_of_its_namespaces(
    limited: Person, rows: dict[str, Any]
) -> None:
    path = f"/api/memories/{rows['mine']['id']}"

    assert limited.get(path).json() == rows["mine"]
    assert limited.patch(path, json={"namespace": ODD}).json()["namespace"] == ODD
    assert limited.delete(path).status_code == 204


@pytest.mark.parametrize("namespace", ["other", "default", None, ""])
def test_a_limited_token_saves_nothing_in_another_namespace(
    alice: Person, limited: Person, namespace: str | None
) -> None:
    good, bad = {"content": "x", "namespace": ODD}, {"content": "x", "namespace": namespace}
    row = limited.post("/api/memories", json=good).json()
    answers = [
        limited.post("/api/memories", json=bad),
        limited.post("/v1/memories/bulk", json={"items": [good, bad]}),
        limited.patch(f"/api/memories/{row['id']}", json={"namespace": namespace or ""}),
    ]

    assert [each.status_code for each in answers] == [403] * 3
    assert {each.json()["code"] for each in answers} == {"namespace_forbidden"}
    assert [each.json()["field"] for each in answers] == [
        "namespace",
        "items[1].namespace",
        "namespace",
    ]
    assert alice.get("/api/memories").json() == [row]


@pytest.mark.parametrize("file_format", ["json", "ndjson"])
def test_an_inline_export_of_a_limited_token_holds_only_its_namespaces(
    limited: Person, rows: dict[str, Any], file_format: str
) -> None:
    export = limited.export(format=file_format)
    elsewhere = limited.export(namespace="other")

    assert export["row_count"] == 2
    assert rows["other"]["id"] not in export["payload"]
    assert rows["mine"]["id"] in export["payload"]
    assert (elsewhere["row_count"], elsewhere["payload"]) == (0, "[]")


def test_a_queued_export_of_a_limited_token_holds_only_its_namespaces(
    alice: Person, limited: Person
) -> None:
    names = ["mine", ODD, "other"]
    alice.save_many([{"content": f"{i}", "namespace": names[i % 3]} for i in range(15_003)])
    asked = limited.export(format="ndjson", metadata_filter={})
    export = limited.wait_for(asked)
    lines = httpx.get(export["download_url"]).text.splitlines()

    assert (asked["status"], asked["row_count"]) == ("pending", 10_002)
    assert set(export["filters"]) == {
        "namespace",
        "tags",
        "metadata_filter",
        "created_after",
        "created_before",
    }
    assert export["row_count"] == len(lines) == 10_002
    assert namespaces([json.loads(each) for each in lines]) == set(MINE)


def test_a_limited_token_sees_only_exports_within_its_namespaces(
    alice: Person, limited: Person, database_url: str
) -> None:
    with (
        create_holder(alice, database_url, namespaces=("mine",)) as part,
        create_holder(alice, database_url, namespaces=("mine", "other")) as partly,
        create_holder(alice, database_url, namespaces=(ODD, "mine")) as same,
    ):
        people = {"whole": alice, "own": limited, "part": part, "partly": partly, "same": same}
        made = {name: each.export()["id"] for name, each in people.items()}
    listed = {each["id"] for each in limited.get("/api/memories/exports").json()["exports"]}
    answers = {
        name: limited.get(f"/api/memories/exports/{each}").status_code
        for name, each in made.items()
    }
    deleted = limited.delete(f"/api/memories/exports/{made['whole']}").status_code

    assert {name for name, status in answers.items() if status == 200} == {"own", "part", "same"}
    assert {name for name, status in answers.items() if status == 404} == {"whole", "partly"}
    assert listed == {made["own"], made["part"], made["same"]}
    assert deleted == 404
    assert alice.get(f"/api/memories/exports/{made['whole']}").status_code == 200


def test_an_idempotency_key_never_answers_an_export_of_other_namespaces(
    alice: Person, limited: Person, rows: dict[str, Any]
) -> None:
    assert rows
    headers = {"Idempotency-Key": "same"}
    first, again, other = (
        person.post("/api/memories/exports", json={}, headers=headers)
        for person in (limited, limited, alice)
    )

    assert first.json()["id"] == again.json()["id"]
    assert other.status_code == 422


def test_webhooks_are_closed_to_a_limited_token(limited: Person) -> None:
    answers = [
        limited.get("/api/webhooks"),
        limited.post("/api/webhooks", json={"url": "https://example.com"}),
        limited.get("/api/webhooks/x/deliveries"),
    ]

    assert [each.status_code for each in answers] == [403] * 3
    assert {each.json()["code"] for each in answers} == {"namespace_forbidden"}


def test_a_save_by_a_limited_token_is_delivered_to_the_webhooks_of_its_tenant(
    alice: Person, limited: Person
) -> None:
    hook = alice.post("/api/webhooks", json={"url": "http://127.0.0.1:9/"}).json()
    limited.save("told", namespace="mine")
    found = alice.get(f"/api/webhooks/{hook['id']}/deliveries").json()["deliveries"]

    assert [each["event"] for each in found] == ["memory.saved"]


@pytest.fixture
async def caller(alice: Person, limited: Person, database_url: str) -> Caller:
    """What the service knows of the limited token."""
    del alice
    query = "SELECT tenant_id FROM memferry.tokens WHERE sha256 = $1"
    digest = hashlib.sha256(limited.token.encode()).digest()
    return Caller(tenant_id=await fetchval(database_url, query, digest), namespaces=MINE)


async def test_statements_without_a_where_reach_no_other_namespace(
    caller: Caller, alice: Person, rows: dict[str, Any], database_url: str
) -> None:
    alice.post("/api/webhooks", json={"url": "http://127.0.0.1:9/"})
    alice.delete(f"/api/memories/{alice.save('told', namespace='other')['id']}")
    alice.export()
    database = Database(database_url, DatabaseSettings(pool_size=1))
    await database.open()
    async with database.tenant(caller) as connection:
        seen = await connection.fetch("SELECT DISTINCT namespace FROM memories")
        exports = await connection.fetchval("SELECT count(*) FROM exports")
        payloads = await connection.fetchval("SELECT count(*) FROM export_payloads")
        messages = await connection.fetchval("SELECT count(*) FROM messages")
        deliveries = await connection.fetchval("SELECT count(*) FROM deliveries")
        audit = await connection.fetchval("SELECT count(*) FROM audit")
        changed = await connection.execute("UPDATE memories SET content = 'mine'")
        deleted = await connection.execute("DELETE FROM memories")
    with pytest.raises(NamespaceForbidden):
        async with database.tenant(caller) as connection:
            await connection.execute(
                "INSERT INTO memories SELECT gen_random_uuid(), 'x', 'other', '{}', 'a', NULL, "
                "NULL, 1, 1"
            )
    # The next transaction on the same session has no limit of its own.
    async with database.tenant(caller.tenant_id) as connection:
        waiting = await connection.fetchval("SELECT count(*) FROM messages")
        told = await connection.fetchval("SELECT count(*) FROM deliveries")
        noted = await connection.fetchval("SELECT count(*) FROM audit")
        left = await connection.fetch("SELECT content FROM memories ORDER BY namespace")
    await database.close()

    assert {each["namespace"] for each in seen} == set(MINE)
    assert (exports, payloads, messages, deliveries, audit) == (0, 0, 0, 0, 0)
    assert min(waiting, told, noted) > 0
    assert (changed, deleted) == ("UPDATE 2", "DELETE 2")
    assert [each["content"] for each in left] == [
        rows["default"]["content"],
        rows["other"]["content"],
    ]


async def test_a_session_with_namespaces_but_without_a_tenant_gets_an_error(
    database_url: str,
) -> None:
    settings = {"role": SERVICE_ROLE, "search_path": SERVICE_ROLE}
    session = await asyncpg.connect(database_url, server_settings=settings)
    async with session.transaction():
        await session.execute(f"SET LOCAL memferry.namespaces = '{b'{mine}'.hex()}'")
        with pytest.raises((asyncpg.UndefinedObjectError, asyncpg.InvalidTextRepresentationError)):
            await session.fetch("SELECT * FROM memories")
    await session.close()


async def test_a_worker_keeps_to_the_limit_that_an_export_was_asked_under(
    caller: Caller, database_url: str
) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "INSERT INTO memferry.jobs "
        "(tenant_id, id, type, status, request, needs, row_count, namespaces) "
        "VALUES ($1, $2, 'export', 'pending', '{}', '{odd}', 1, $3)",
        *(caller.tenant_id, f"{time.time_ns():026d}", list(MINE)),
    )
    await owner.close()
    async with open_database(database_url, size=1) as database:
        jobs = Queue(database, WorkerSettings(lease_seconds=20))
        claim = await jobs.claim("test", ["odd"])
        assert claim is not None
        job = await jobs.read(claim)

    assert job is not None
    assert job.namespaces == list(MINE)
    request = ExportRequest.read('{"format": "json", "filters": {}}', job.namespaces)
    assert request.values == {TokenNamespaces: list(MINE)}


def test_a_token_without_a_limit_sees_everything(
    alice: Person, rows: dict[str, Any], database_url: str
) -> None:
    with create_admin(alice, database_url) as whole:
        assert namespaces(whole.get("/api/memories").json()) == set(rows)
    assert asyncio.run(fetchval(database_url, "SELECT memferry.namespaces() IS NULL"))
