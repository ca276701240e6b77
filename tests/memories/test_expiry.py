"""Memories that expire: gone from every read at once, deleted like any other, in no export."""

import asyncio
import csv
import io
import json
import time
import zipfile
from typing import Any
from uuid import UUID

import httpx
import pytest

from memferry.erasure.memories import MemoryErasure
from memferry.model.token import Caller
from memferry.storage.local import LocalStorage
from memferry.worker.sweeper import Sweeper
from support.expiry import keep_expired, let_expire
from support.memories import ROW_KEYS
from support.people import Person
from support.postgres import open_database
from support.tokens import fetchval, read_tenant_id

OLD = 1_600_000_000_000
YEAR_MS = 365 * 24 * 3600 * 1000


def soon(ms: int = YEAR_MS) -> int:
    return time.time_ns() // 1_000_000 + ms


def find(person: Person, row: dict[str, Any]) -> httpx.Response:
    return person.get(f"/api/memories/{row['id']}")


def read_everything(person: Person, row: dict[str, Any]) -> str:
    """What every read of memories shows."""
    answers = [
        person.get("/api/memories"),
        person.get("/api/memories?q=expiring"),
        person.get("/api/memories?q=expi&prefix=true"),
        person.get("/api/recall/unified?q=expiring"),
        person.get(f"/api/memories/{row['id']}"),
        person.get(f"/api/memories/{row['id']}/history"),
        person.get("/api/threads"),
        person.get("/api/threads/thread"),
        person.get(f"/api/threads/{row['id']}"),
        person.get("/api/namespaces"),
        person.get("/api/projects"),
        person.get("/api/memories/duplicates"),
        person.post("/api/memories/list", json={}),
        person.post("/api/memories/search", json={"query": "expiring"}),
        person.post("/api/memories/search/bulk", json={"queries": ["expiring"]}),
        person.post("/api/memories/exports", json={}),
        person.post("/api/memories/exports", json={"format": "csv"}),
        person.post("/api/memories/exports", json={"tags": ["t"]}),
        person.post("/api/memories/exports", json={"format": "markdown"}),
        person.post("/api/memories/exports/estimate", json={}),
    ]
    return "\n".join(answer.text for answer in answers)


def test_a_row_carries_its_expiry_only_when_it_has_one(alice: Person) -> None:
    at = soon()
    plain, expiring = alice.save("tea"), alice.save("expiring", expires_at=at)

    assert list(plain) == ROW_KEYS
    assert list(expiring) == [*ROW_KEYS, "expires_at"]
    assert expiring["expires_at"] == at
    assert find(alice, expiring).json() == expiring
    assert alice.post("/api/memories/list", json={"order": "newest"}).json()["memories"] == [
        expiring,
        plain,
    ]
    (hit,) = alice.get("/api/memories?q=expiring").json()
    assert list(hit) == [*ROW_KEYS, "expires_at", "score"]


def test_every_change_can_set_and_clear_an_expiry(alice: Person) -> None:
    at, row = soon(), alice.save("tea")
    address = f"/api/memories/{row['id']}"

    assert alice.patch(address, json={"expires_at": at}).json()["expires_at"] == at
    assert alice.patch(address, json={"tags": ["x"]}).json()["expires_at"] == at
    assert "expires_at" not in alice.patch(address, json={"expires_at": None}).json()
    batch = {"updates": [{"id": row["id"], "expires_at": at + 1}]}
    (changed,) = alice.put("/api/memories/batch", json=batch).json()["results"]
    assert changed["expires_at"] == at + 1
    history = alice.get(f"{address}/history").json()["history"]
    assert [(each["former"] or {}).get("expires_at") for each in history] == [
        None, None, at, at, None,
    ]  # fmt: skip
    assert "expires_at" not in history[1]["former"]
    restored = alice.post(f"{address}/restore", json={"version": 3}).json()
    assert restored["expires_at"] == at
    alice.save_many([{"content": "bulk", "expires_at": at}])
    assert alice.get("/api/memories?limit=1").json()[0]["expires_at"] == at


@pytest.mark.parametrize("wrong", [-1, 0, 1_000, 2**63, "soon", 1.5, True])
def test_an_expiry_that_cannot_be_is_refused_by_name(alice: Person, wrong: Any) -> None:
    row = alice.save("tea")
    answers = [
        alice.post("/api/memories", json={"content": "x", "expires_at": wrong}),
        alice.patch(f"/api/memories/{row['id']}", json={"expires_at": wrong}),
    ]
    bulk = alice.post("/v1/memories/bulk", json={"items": [{"content": "x", "expires_at": wrong}]})

    assert [answer.status_code for answer in answers] == [400, 400]
    assert all(answer.json()["field"] == "expires_at" for answer in answers)
    assert bulk.status_code == 400
    assert find(alice, row).json() == row


def test_an_expired_memory_is_gone_from_every_read_at_once(
    alice: Person, database_url: str
) -> None:
    metadata = {"parent_ref": "thread"}
    rows = [
        alice.save("expiring tea", namespace="going", tags=["t"], metadata=metadata)
        for _ in range(2)
    ]
    kept = alice.save("expiring coffee", tags=["t"], metadata=metadata)
    assert read_everything(alice, rows[0]).count(rows[0]["id"]) > 10
    with keep_expired(database_url, *rows):
        assert_gone(alice, rows[0])
    assert alice.get("/api/memories").json() == [kept]


def assert_gone(alice: Person, row: dict[str, Any]) -> None:
    shown = read_everything(alice, row)

    assert row["id"] not in shown.replace(f'"parent_ref":"{row["id"]}"', "")
    assert "expiring tea" not in shown
    assert "expiring coffee" in shown
    assert alice.post("/api/memories/list", json={}).json()["total"] == 1
    # Better hits that have expired take no place in a page.
    assert len(alice.get("/api/memories?q=expiring+tea&limit=1").json()) == 1
    assert [each["name"] for each in alice.get("/api/namespaces").json()] == ["default"]
    address = f"/api/memories/{row['id']}"
    for answer in (
        alice.patch(address, json={"tags": []}),
        alice.patch(address, json={"expires_at": None}),
        alice.delete(address),
        alice.get(f"{address}/history"),
        alice.post(f"{address}/restore", json={"version": 1}),
    ):
        assert answer.status_code == 404, answer.text


def test_the_last_moment_of_a_memory_is_part_of_it(alice: Person) -> None:
    row = alice.save("brief", expires_at=soon(400))
    while find(alice, row).status_code == 200:
        time.sleep(0.02)
        assert time.time_ns() // 1_000_000 < row["expires_at"] + 5_000

    assert time.time_ns() // 1_000_000 > row["expires_at"]


def test_an_export_leaves_expired_rows_out_and_says_how_many(
    alice: Person, database_url: str
) -> None:
    rows = [alice.save(f"tea {i}", namespace="a" if i else "b", tags=["t"]) for i in range(4)]
    with keep_expired(database_url, *rows[:3]):
        counts = count_expired(alice)

    expected = [(1, 3), (1, 2), (1, 3), (1, 3), (1, 3), (0, 0)]
    assert counts == [
        [rows, expired, {"matched": rows, "expired": expired, "written": rows}]
        for rows, expired in expected
    ]


def count_expired(alice: Person) -> list[list[Any]]:
    counts = {
        json.dumps(body): [
            (export := alice.wait_for(alice.export(**body)))["row_count"],
            export["expired_rows"],
            alice.get(f"/api/memories/exports/{export['id']}/manifest").json()["memferry"]["counts"],
        ]
        for body in (
            {}, {"namespace": "a"}, {"tags": ["t"]}, {"format": "csv"}, {"format": "okf"},
            {"created_after": soon()},
        )
    }  # fmt: skip

    return list(counts.values())


async def sweep(database_url: str, path: Any) -> None:
    async with open_database(database_url) as database:
        await Sweeper(database, LocalStorage(path)).tick()


def test_expired_memories_are_swept_as_any_deletion(
    alice: Person, database_url: str, tmp_path: Any
) -> None:
    row, kept = alice.save("a secret", expires_at=soon()), alice.save("tea")
    alice.patch(f"/api/memories/{row['id']}", json={"content": "another secret"})
    alice.post("/api/webhooks", json={"url": "https://example.com/", "events": ["memory.deleted"]})
    let_expire(database_url, row)
    asyncio.run(sweep(database_url, tmp_path))
    history = alice.get(f"/api/memories/{row['id']}/history").json()["history"]
    tenant = asyncio.run(read_tenant_id(alice, database_url))

    assert [(each["kind"], each["via"]) for each in history][-1] == ("delete", "expiry")
    assert all(each["former"] is None for each in history)
    assert find(alice, kept).json() == kept
    for query, found in {
        "SELECT count(*) FROM memferry.memories WHERE tenant_id = $1": 1,
        "SELECT sum(rows)::int FROM memferry.memory_usage WHERE tenant_id = $1": 1,
        "SELECT count(*) FROM memferry.deliveries WHERE tenant_id = $1": 1,
        "SELECT count(*) FROM memferry.audit WHERE tenant_id = $1 AND event = 'memory.deleted'": 1,
        "SELECT count(*) FROM memferry.messages WHERE tenant_id = $1 "
        "AND data ->> 'content' = 'another secret'": 1,
    }.items():
        assert asyncio.run(fetchval(database_url, query, tenant)) == found, query


async def test_a_memory_whose_time_was_extended_meanwhile_is_not_swept(
    alice: Person, database_url: str, tmp_path: Any
) -> None:
    kept, later = alice.save("tea"), alice.save("tea", expires_at=soon())
    caller = Caller(tenant_id=await read_tenant_id(alice, database_url))
    ids = [UUID(row["id"]) for row in (kept, later)]
    async with open_database(database_url) as database:
        erasure = MemoryErasure(database, LocalStorage(tmp_path))
        for purge in (False, True):
            deletion = await erasure.delete_many(caller, ids, purge=purge, via="expiry")
            assert not deletion.ids

    assert [find(alice, row).status_code for row in (kept, later)] == [200, 200]


async def test_a_transaction_shows_memories_as_of_its_moment(
    alice: Person, database_url: str
) -> None:
    row = alice.save("tea", expires_at=soon())
    tenant, query = await read_tenant_id(alice, database_url), "SELECT count(*) FROM memories"
    counts = []
    async with open_database(database_url) as database:
        for moment in (0, row["expires_at"], row["expires_at"] + 1):
            async with database.tenant(tenant, moment=moment) as connection:
                counts.append(await connection.fetchval(query))

    assert counts == [1, 1, 0]


def test_a_project_says_how_long_memories_are_kept(alice: Person) -> None:
    day = 24 * 3600 * 1000
    answer = alice.post("/api/projects", json={"name": "brief", "retention_days": 2})
    (address, project) = (f"/api/projects/{answer.json()['id']}", answer.json())
    kept = alice.save("tea", namespace="brief")
    own = alice.save("tea", namespace="brief", expires_at=soon(5 * day))
    alice.save_many([{"content": "bulk", "namespace": "brief", "created_at": 1_000}])
    alice.import_file(json.dumps([{"content": "imported"}]), namespace="brief")
    (bulk, *_) = alice.get("/api/memories?namespace=brief&q=bulk").json()
    (imported,) = alice.get("/api/memories?namespace=brief&q=imported").json()

    assert project["retention_days"] == 2
    assert kept["expires_at"] == kept["created_at"] + 2 * day
    assert own["expires_at"] > kept["expires_at"] + day
    for row in (bulk, imported):
        assert abs(row["expires_at"] - kept["expires_at"]) < 60_000
    assert "expires_at" not in alice.save("tea", namespace="other")
    assert alice.patch(address, json={"retention_days": None}).json()["retention_days"] is None
    assert "expires_at" not in alice.save("tea", namespace="brief")
    for wrong in (0, -1, 36_501, "2", 1.5):
        answer = alice.patch(address, json={"retention_days": wrong})
        assert (answer.status_code, answer.json()["field"]) == (400, "retention_days")
    assert find(alice, kept).json() == kept


@pytest.mark.parametrize("format_", ["json", "ndjson", "okf", "csv", "parquet"])
def test_an_expiry_comes_back_by_an_import(alice: Person, bob: Person, format_: str) -> None:
    at = soon()
    alice.save("plain")
    alice.save("expiring", expires_at=at, metadata={"a": 1}, tags=["x"])
    fields = {"fields": [*ROW_KEYS, "expires_at"]} if format_ in ("csv", "parquet") else {}
    export = alice.export(format=format_, **fields)
    file = export["payload"] or alice.download(export)
    report = bob.import_file(file)
    again = bob.import_file(file)

    assert report["report"]["created"] == 2, report
    assert again["report"]["unchanged"] == 2, again
    assert bob.export(format="ndjson")["payload"] == alice.export(format="ndjson")["payload"]


def test_an_import_leaves_out_what_has_expired(alice: Person) -> None:
    rows = [
        {"id": f"00000000-0000-7000-8000-00000000000{i}", "content": "x", "created_at": OLD, **more}
        for i, more in enumerate(({}, {"expires_at": OLD + 1}))
    ]  # fmt: skip
    report = alice.import_file(json.dumps(rows))["report"]

    assert (report["created"], report["left_out"]) == (1, {"expired": 1})


def test_files_without_an_expiry_are_what_they_were(alice: Person) -> None:
    alice.save("plain")
    okf = alice.download(alice.export(format="okf"))
    texts = [alice.export(format=name)["payload"] for name in ("json", "ndjson", "csv", "html")]
    with zipfile.ZipFile(io.BytesIO(okf)) as archive:
        texts += [archive.read(name).decode() for name in archive.namelist()]

    assert not [text for text in texts if "expires_at" in text]


def test_a_csv_has_a_column_of_expiries_where_it_is_asked_for(alice: Person) -> None:
    at = soon()
    alice.save("plain", tags=["1"])
    alice.save("expiring", expires_at=at)
    text = alice.export(format="csv", fields=["content", "expires_at"])["payload"]

    assert list(csv.reader(io.StringIO(text))) == [
        ["content", "expires_at"], ["plain", ""], ["expiring", str(at)],
    ]  # fmt: skip
    lines = alice.export(format="ndjson", fields=["expires_at"])["payload"]
    assert lines == f'{{}}\n{{"expires_at":{at}}}\n'
    lines = alice.export(format="ndjson", fields=["id", "expires_at"])["payload"].splitlines()
    assert [list(json.loads(line)) for line in lines] == [["id"], ["id", "expires_at"]]
