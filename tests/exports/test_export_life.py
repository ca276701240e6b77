"""Cancelling, deleting, expiring and repeating exports, as clients see it."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from memferry.database.embedded import EmbeddedPostgres
from support.people import Person, make_person
from support.postgres import execute
from support.service import Service, asleep, start_service, stop_service

KEY = {"Idempotency-Key": "3f1c-of-alice"}


def files_of(service: Service, export: dict[str, Any]) -> list[str]:
    """What the local store holds of an export, unfinished files too."""
    return [path.name for path in service.store.glob(f"*/{export['id']}/*")]


def path_of(export: dict[str, Any]) -> str:
    return f"/api/memories/exports/{export['id']}"


def save_large(person: Person, size: int = 10) -> None:
    """More rows than an answer holds."""
    person.save_many([{"content": f"memory {i} " + "x" * size} for i in range(10_001)])


@contextmanager
def held_up(database_url: str) -> Iterator[None]:
    """A time in which nobody can read memories: exports get stuck where they are."""

    async def lock(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        await connection.execute("BEGIN; LOCK TABLE memferry.memories IN ACCESS EXCLUSIVE MODE")

    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(database_url))
        runner.run(lock(connection))
        try:
            yield
        finally:
            runner.run(connection.close())


def wait_until(what: str, holds: Any, seconds: float = 15) -> None:
    """Look again and again."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_a_cancelled_running_export_leaves_no_file(
    alice: Person, service: Service, database_url: str
) -> None:
    save_large(alice)
    with ExitStack() as stuck:
        with asleep(service):
            export = alice.export()
            stuck.enter_context(held_up(database_url))
        wait_until("it runs", lambda: alice.get(path_of(export)).json()["status"] == "running")
        answer = alice.delete(path_of(export))
        seen = alice.get(path_of(export)).json()
    time.sleep(1.5)

    assert (answer.status_code, answer.content) == (204, b"")
    assert (seen["status"], seen["download_url"], seen["error"]) == ("cancelled", None, None)
    assert seen["completed_at"] >= seen["created_at"]
    assert alice.get(path_of(export)).json() == seen
    assert files_of(service, export) == []


def test_a_cancelled_export_can_be_removed(alice: Person, service: Service) -> None:
    save_large(alice)
    with asleep(service):
        export = alice.export()
        alice.delete(path_of(export))
        alice.delete(path_of(export))

        assert alice.get(path_of(export)).status_code == 404
        assert alice.delete(path_of(export)).status_code == 404


def test_a_deleted_export_takes_its_file_and_its_links_with_it(
    alice: Person, service: Service
) -> None:
    save_large(alice)
    export = alice.wait_for(alice.export())
    before = files_of(service, export)
    (directory,) = service.store.glob(f"*/{export['id']}")
    (directory / "of a killed writer").mkdir()
    answer = alice.delete(path_of(export))

    assert sorted(before) == ["1", "1.manifest.json", "1.sha256"]
    assert answer.status_code == 204
    assert alice.get(path_of(export)).status_code == 404
    assert files_of(service, export) == []
    assert not list(service.store.glob(f"*/{export['id']}"))
    assert httpx.get(export["download_url"]).status_code == 404


def test_a_deleted_inline_export_is_not_found_any_more(alice: Person) -> None:
    alice.save("x")
    export = alice.export()

    assert alice.delete(path_of(export)).status_code == 204
    assert alice.get(path_of(export)).status_code == 404
    assert export["id"] not in alice.get("/api/memories/exports").text


def test_an_export_of_another_tenant_cannot_be_cancelled(alice: Person, bob: Person) -> None:
    alice.save("x")
    export = alice.export()
    foreign, unknown = bob.delete(path_of(export)), bob.delete("/api/memories/exports/x")

    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.json() == unknown.json()
    assert alice.get(path_of(export)).json() == export


def test_a_repeat_with_the_same_key_answers_the_same_export(alice: Person) -> None:
    alice.save("x")
    first = alice.post("/api/memories/exports", json={"format": "ndjson"}, headers=KEY)
    alice.save("y")
    again = alice.post(
        "/api/memories/exports", json={"format": "ndjson", "tags": None}, headers=KEY
    )
    other = alice.post("/api/memories/exports", json={"format": "ndjson"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert other.json()["id"] != first.json()["id"]
    assert len(alice.get("/api/memories/exports").json()["exports"]) == 2


def test_an_idempotency_key_of_another_request_is_refused(alice: Person) -> None:
    alice.post("/api/memories/exports", json={"namespace": "a"}, headers=KEY)
    answer = alice.post("/api/memories/exports", json={"namespace": "b"}, headers=KEY)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert len(alice.get("/api/memories/exports").json()["exports"]) == 1


def test_an_idempotency_key_of_another_tenant_does_not_count(alice: Person, bob: Person) -> None:
    alice.save("of Alice")
    bob.save("of Bob")
    mine = alice.post("/api/memories/exports", json={}, headers=KEY).json()
    theirs = bob.post("/api/memories/exports", json={}, headers=KEY).json()

    assert mine["id"] != theirs["id"]
    assert "of Bob" in theirs["payload"]


def test_a_repeat_while_the_first_request_is_in_flight_is_a_conflict(
    alice: Person, database_url: str
) -> None:
    alice.save("x")

    def ask() -> httpx.Response:
        return alice.post("/api/memories/exports", json={}, headers=KEY)

    with ThreadPoolExecutor(1) as pool:
        with held_up(database_url):
            first = pool.submit(ask)
            time.sleep(0.5)
            second = ask()
        answer = first.result()

    assert (second.status_code, second.json()["code"]) == (409, "idempotency_key_in_flight")
    assert second.headers["retry-after"] == "1"
    assert answer.status_code == 201
    assert ask().json() == answer.json()


def test_many_repeats_at_once_make_one_export(alice: Person) -> None:
    alice.save_many([{"content": f"memory {i}"} for i in range(2_000)])

    def ask(_number: int) -> httpx.Response:
        return alice.post("/api/memories/exports", json={}, headers=KEY)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(40)))

    assert {each.status_code for each in answers} <= {201, 409}
    assert len({each.json()["id"] for each in answers if each.is_success}) == 1
    assert len(alice.get("/api/memories/exports").json()["exports"]) == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é".encode()])
def test_a_malformed_idempotency_key_is_refused_by_name(alice: Person, key: Any) -> None:
    answer = alice.post("/api/memories/exports", json={}, headers={"Idempotency-Key": key})

    assert (answer.status_code, answer.json()["field"]) == (400, "Idempotency-Key")


def test_an_idempotency_key_is_free_again_when_its_export_is_deleted(alice: Person) -> None:
    first = alice.post("/api/memories/exports", json={}, headers=KEY).json()
    alice.delete(path_of(first))
    second = alice.post("/api/memories/exports", json={"format": "csv"}, headers=KEY)

    assert second.status_code == 201
    assert second.json()["id"] != first["id"]


def test_an_export_holds_exactly_the_saves_answered_before_its_snapshot(alice: Person) -> None:
    save_large(alice)
    export = alice.export()
    saved = []
    for i in range(100):
        sent = int(time.time() * 1000)
        row = alice.save(f"late {i}")
        saved.append((sent, row["id"], int(time.time() * 1000)))
    done = alice.wait_for(export)
    there = {row["id"] for row in httpx.get(done["download_url"]).json()}
    at = done["snapshot_at"]

    assert done["created_at"] <= at <= done["completed_at"]
    assert {row_id for _, row_id, answered in saved if answered < at} <= there
    assert there.isdisjoint(row_id for sent, row_id, _ in saved if sent > at)
    assert saved[-1][0] > at


def test_an_inline_export_shows_its_snapshot_and_completion_time(alice: Person) -> None:
    row = alice.save("x")
    export = alice.export()

    assert row["created_at"] <= export["snapshot_at"] <= export["completed_at"]
    assert export["expires_at"] == export["completed_at"] + 7 * 24 * 3600 * 1000
    assert export["progress"] == 1


def test_progress_rises_until_it_is_complete(alice: Person) -> None:
    save_large(alice, 2000)
    export = alice.export(format="ndjson")
    seen = [export]
    while seen[-1]["status"] in ("pending", "running"):
        seen.append(alice.get(path_of(export)).json())

    assert all(0 <= each["progress"] < 1 for each in seen[:-1])
    assert seen[-1]["progress"] == 1
    for name in ("progress", "rows_done", "bytes_done"):
        assert [each[name] for each in seen] == sorted(each[name] for each in seen)
    assert all(each["snapshot_at"] is None and each["expires_at"] is None for each in seen[:-1])


def test_an_export_past_its_lifetime_is_shown_expired_before_the_sweep(
    alice: Person, service: Service, database_url: str
) -> None:
    alice.save("x", namespace="small")
    save_large(alice)
    exports = [alice.export(namespace="small"), alice.wait_for(alice.export())]
    for export in exports:
        query = f"UPDATE memferry.jobs SET expires_at = 1 WHERE id = '{export['id']}'"
        asyncio.run(execute(database_url, query))
    seen = [alice.get(path_of(export)).json() for export in exports]
    listed = alice.get("/api/memories/exports").json()["exports"]

    assert files_of(service, exports[1]) != []
    assert {each["status"] for each in (*seen, *listed)} == {"expired"}
    assert [(each["payload"], each["download_url"]) for each in seen] == [(None, None)] * 2
    assert httpx.get(exports[1]["download_url"]).status_code == 404


@pytest.fixture(scope="module")
def hasty(request: pytest.FixtureRequest) -> Iterator[tuple[Service, Person]]:
    """A service that keeps exports for two seconds and sweeps each second; and Alice there."""
    home = Path(tempfile.mkdtemp(prefix="memferry-hasty-"))
    home.chmod(0o711)
    programs = request.config.getoption("--postgres-bin")
    running = start_service(
        home,
        MEMFERRY_POSTGRES_BIN=str(programs or ""),
        MEMFERRY_EXPORT_LIFETIME_SECONDS="2",
        MEMFERRY_SWEEP_SECONDS="1",
    )
    with make_person("alice", running, EmbeddedPostgres(home / "postgres").url()) as alice:
        yield running, alice
    stop_service(running)
    shutil.rmtree(home, ignore_errors=True)


def test_an_expired_file_is_gone_from_the_store_and_the_answer(
    hasty: tuple[Service, Person],
) -> None:
    service, alice = hasty
    save_large(alice)
    done = alice.wait_for(alice.export())
    wait_until("it is swept", lambda: not list(service.store.glob(f"*/{done['id']}")))
    export = alice.get(path_of(done)).json()

    assert done["expires_at"] == done["completed_at"] + 2000
    assert (export["status"], export["download_url"], export["payload"]) == ("expired", None, None)
    assert export["sha256"] == done["sha256"]
    assert httpx.get(done["download_url"]).status_code == 404
    assert time.time() * 1000 >= done["expires_at"]


def test_an_expired_payload_is_gone_from_the_database(hasty: tuple[Service, Person]) -> None:
    service, alice = hasty
    alice.save("x", namespace="small")
    export = alice.export(namespace="small")
    kept = alice.get(path_of(export)).json()
    wait_until("it expires", lambda: alice.get(path_of(export)).json()["status"] == "expired", 4)
    gone = alice.get(path_of(export)).json()
    owner = EmbeddedPostgres(service.home / "postgres").url()

    async def payloads() -> int:
        connection = await asyncpg.connect(owner)
        query = "SELECT count(*)::int FROM memferry.export_payloads WHERE export_id = $1"
        found: int = await connection.fetchval(query, export["id"])
        await connection.close()
        return found

    wait_until("its payload is swept", lambda: asyncio.run(payloads()) == 0, 5)
    assert kept["payload"] == export["payload"]
    assert gone["payload"] is None


def test_a_download_that_has_begun_is_finished_after_its_file_was_swept(
    hasty: tuple[Service, Person],
) -> None:
    service, alice = hasty
    save_large(alice, 3000)
    done = alice.wait_for(alice.export(format="ndjson"))
    read = 0
    with httpx.stream("GET", done["download_url"]) as answer:
        chunks = answer.iter_raw(1000)
        read += len(next(chunks))
        wait_until("it is swept", lambda: not files_of(service, done))
        read += sum(len(chunk) for chunk in chunks)

    assert read == done["bytes_done"]
