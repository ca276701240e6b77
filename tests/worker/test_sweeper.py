"""The sweeper: what is dead goes, however much it is; what lives or is somebody else's stays."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from memferry.errors import StorageUnavailable
from memferry.model.identity import new_export_id
from memferry.settings import StorageSettings
from memferry.storage import Storage, open_storage
from memferry.tenants.operator import Operator
from memferry.worker.sweeper import Sweeper
from support.postgres import open_database

INSERT = """
INSERT INTO memferry.jobs (tenant_id, id, type, status, request, row_count, attempt,
    object_key, leased_by, leased_until, sha256, completed_at, expires_at, error)
SELECT $1, $2, 'export', $3, '{}', 0, $4, $5,
    CASE WHEN $3 = 'running' THEN 'a' END, CASE WHEN $3 = 'running' THEN now() + interval '1 h' END,
    CASE WHEN $3 = 'completed' THEN sha256('') END, CASE WHEN $3 <> 'running' THEN 1 END, $6,
    CASE WHEN $3 = 'failed' THEN 'x' END
"""
FAR = 2**52
LIFETIME_SECONDS = 3600


class Place:
    """A tenant's rows in the real database, and a store of its own."""

    def __init__(
        self, root: Path, owner: "asyncpg.Connection[asyncpg.Record]", tenant: UUID
    ) -> None:
        self.root = root
        self.owner = owner
        self.tenant = tenant

    def file(self, name: str) -> Path:
        """Put a file there."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        return path

    async def export(self, status: str, attempt: int = 2, expires_at: int | None = FAR) -> str:
        """A row in that status; the prefix of its keys."""
        export_id = new_export_id()
        prefix = f"{self.tenant}/{export_id}"
        key = f"{prefix}/{attempt}" if status == "completed" else None
        await self.owner.execute(INSERT, self.tenant, export_id, status, attempt, key, expires_at)
        return prefix

    async def status(self, prefix: str) -> str:
        """The status of an export now."""
        query = "SELECT status FROM memferry.jobs WHERE id = $1"
        found: str = await self.owner.fetchval(query, prefix.rpartition("/")[2])
        return found

    def files(self) -> set[str]:
        """All files there are."""
        return {
            path.relative_to(self.root).as_posix()
            for path in self.root.rglob("*")
            if path.is_file()
        }


@pytest.fixture
async def place(database_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    name = f"alice-{uuid4()}"
    await Operator(database_url).create_token(name, "test")
    owner = await asyncpg.connect(database_url)
    tenant = await owner.fetchval("SELECT id FROM memferry.tenants WHERE name = $1", name)
    yield Place(tmp_path, owner, tenant)
    await owner.close()


@pytest.fixture
async def sweeper(database_url: str, tmp_path: Path) -> AsyncIterator[Sweeper]:
    storage: Storage = open_storage(StorageSettings(url=tmp_path.as_uri()))
    async with open_database(database_url, size=4) as database:
        yield Sweeper(database, storage)


async def test_objects_of_completed_and_running_exports_stay(
    place: Place, sweeper: Sweeper
) -> None:
    completed = await place.export("completed")
    running = await place.export("running")
    place.file(f"{completed}/2")
    place.file(f"{running}/2")
    place.file(f"{running}/.2.0123456789abcdef.partial")
    before = place.files()
    await sweeper.tick()

    assert place.files() == before


@pytest.mark.parametrize("status", ["completed", "running", "failed", "cancelled", "expired"])
async def test_objects_of_earlier_attempts_are_swept(
    place: Place, sweeper: Sweeper, status: str
) -> None:
    prefix = await place.export(status)
    place.file(f"{prefix}/1")
    place.file(f"{prefix}/.1.0123456789abcdef.partial")
    await sweeper.tick()

    assert place.files() == set()
    assert not (place.root / prefix).exists()


async def test_what_is_named_after_a_published_file_goes_with_it_and_not_before(
    place: Place, sweeper: Sweeper
) -> None:
    alive = await place.export("completed")
    names = ("2", "2.manifest.json", "2.sha256", "2.part-0002")
    kept = {place.file(f"{alive}/{name}").relative_to(place.root).as_posix() for name in names}
    place.file(f"{alive}/1.manifest.json")
    place.file(f"{alive}/1.part-0002")
    place.file(f"{alive}/20.sha256")
    await sweeper.tick()
    before = place.files()
    await place.owner.execute("UPDATE memferry.jobs SET expires_at = 1 WHERE id = $1", alive[-26:])
    await sweeper.tick()

    assert before == kept
    assert place.files() == set()


async def test_an_export_that_was_not_sealed_is_sealed_and_others_are_not_held_up(
    place: Place, sweeper: Sweeper
) -> None:
    broken, whole = await place.export("completed"), await place.export("completed")
    request = '{"format":"json","filters":{"namespace":null}}'
    repair = "UPDATE memferry.jobs SET request = $2 WHERE id = $1"
    await place.owner.execute(repair, whole[-26:], request)
    await sweeper.tick()
    lines = "SELECT export_id FROM memferry.manifest_chain WHERE tenant_id = $1"

    assert [row[0] for row in await place.owner.fetch(lines, place.tenant)] == [whole[-26:]]
    assert await place.status(broken) == "completed"


async def test_an_export_that_nobody_was_told_of_is_announced_once(
    place: Place, sweeper: Sweeper
) -> None:
    export = await place.export("completed")
    await place.owner.execute("UPDATE memferry.jobs SET untold = true WHERE id = $1", export[-26:])
    await place.owner.execute(
        "INSERT INTO memferry.webhooks (tenant_id, url, events, secret)"
        " VALUES ($1, 'http://127.0.0.1:9/', '{}', 'secret')",
        place.tenant,
    )
    await sweeper.tick()
    await sweeper.tick()
    told = "SELECT event FROM memferry.deliveries WHERE tenant_id = $1"

    assert [row[0] for row in await place.owner.fetch(told, place.tenant)] == ["export.completed"]


async def test_the_manifest_of_an_expired_export_goes_and_its_line_stays(
    place: Place, sweeper: Sweeper
) -> None:
    export = await place.export("completed")
    request = '{"format":"json","filters":{"namespace":null}}'
    change = "UPDATE memferry.jobs SET request = $2, expires_at = $3 WHERE id = $1"
    await place.owner.execute(change, export[-26:], request, FAR)
    await sweeper.tick()
    await place.owner.execute(change, export[-26:], request, 1)
    await sweeper.tick()
    count = "SELECT count(*) FROM memferry.{} WHERE tenant_id = $1"
    tables = ("export_manifests", "manifest_chain")

    assert [await place.owner.fetchval(count.format(each), place.tenant) for each in tables] == [
        0,
        1,
    ]


async def test_objects_without_an_export_are_swept(place: Place, sweeper: Sweeper) -> None:
    place.file(f"{place.tenant}/{new_export_id()}/1")
    await sweeper.tick()

    assert place.files() == set()


async def test_files_that_are_no_objects_of_a_known_tenant_stay(
    place: Place, sweeper: Sweeper
) -> None:
    place.file(f"{uuid4()}/{new_export_id()}/1")
    place.file(f"{place.tenant}/{new_export_id()}/notes.txt")
    place.file("lost+found/x")
    before = place.files()
    await sweeper.tick()

    assert place.files() == before


async def test_sweepers_side_by_side_go_through_every_page(place: Place, sweeper: Sweeper) -> None:
    completed = await place.export("completed")
    kept = place.file(f"{completed}/2")
    for number in range(1_300):
        place.file(f"{place.tenant}/{new_export_id()}/{number}")
        place.file(f"{place.tenant}/{new_export_id()}/.{number}.0123456789abcdef.partial")
    outcomes = await asyncio.gather(*(sweeper.tick() for _ in range(3)))

    assert outcomes == [False] * 3
    assert place.files() == {kept.relative_to(place.root).as_posix()}


async def test_all_expired_exports_are_swept_at_once_and_once(
    place: Place, sweeper: Sweeper
) -> None:
    expired = [await place.export("completed", expires_at=1) for _ in range(1_100)]
    for prefix in expired:
        place.file(f"{prefix}/2")
    alive = await place.export("completed")
    place.file(f"{alive}/2")
    await asyncio.gather(*(sweeper.tick() for _ in range(3)))

    assert place.files() == {f"{alive}/2"}
    assert {await place.status(prefix) for prefix in expired} == {"expired"}
    assert await place.status(alive) == "completed"


async def test_the_newest_entries_of_a_webhook_log_stay(
    place: Place, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memferry.worker.sweeper._LOGGED_DELIVERIES", 2)
    hook = await _make_hook(place)
    deliveries = """
        INSERT INTO memferry.deliveries
            (tenant_id, webhook_id, event, created_at, next_attempt_at)
        SELECT $1, $2, age::text, memferry_service.now_ms() - age, NULL
        FROM unnest($3::bigint[]) AS age
    """
    await place.owner.execute(deliveries, place.tenant, hook, [1000, 4000, 2000, 3000])
    await sweeper.tick()
    log = "SELECT event FROM memferry.deliveries WHERE webhook_id = $1 ORDER BY event"

    assert [row["event"] for row in await place.owner.fetch(log, hook)] == ["1000", "2000"]


async def test_a_message_goes_with_its_last_delivery(place: Place, sweeper: Sweeper) -> None:
    hook = await _make_hook(place)
    kept, lost = [
        await place.owner.fetchval(
            "INSERT INTO memferry.messages (tenant_id, data, bytes) VALUES ($1, '{}', 2) "
            "RETURNING id",
            place.tenant,
        )
        for _ in range(2)
    ]
    await place.owner.execute(
        "INSERT INTO memferry.deliveries (tenant_id, webhook_id, event, message_id) "
        "VALUES ($1, $2, 'waits', $3)",
        *(place.tenant, hook, kept),
    )
    await sweeper.tick()
    there = "SELECT id FROM memferry.messages WHERE id = ANY ($1::uuid[])"

    assert [row["id"] for row in await place.owner.fetch(there, [kept, lost])] == [kept]


async def _make_hook(place: Place) -> Any:
    return await place.owner.fetchval(
        "INSERT INTO memferry.webhooks (tenant_id, url, events, secret) "
        "VALUES ($1, 'https://example.com', '{}', 's') RETURNING id",
        place.tenant,
    )


async def test_old_keys_and_old_deliveries_are_forgotten(place: Place, sweeper: Sweeper) -> None:
    prefix = await place.export("cancelled")
    export_id = prefix.rpartition("/")[2]
    day = 24 * 3600 * 1000
    keys = """
        INSERT INTO memferry.idempotency_keys
            (tenant_id, key, request_sha256, export_id, created_at)
        SELECT $1, age::text, sha256(''), $2, memferry_service.now_ms() - age
        FROM unnest($3::bigint[]) AS age
    """
    await place.owner.execute(keys, place.tenant, export_id, [day + 60_000, day - 60_000])
    hook = await _make_hook(place)
    deliveries = """
        INSERT INTO memferry.deliveries
            (tenant_id, webhook_id, event, created_at, next_attempt_at)
        SELECT $1, $2, age::text, memferry_service.now_ms() - age,
            CASE WHEN waits THEN now() + interval '1 h' END
        FROM unnest($3::bigint[], $4::boolean[]) AS given (age, waits)
    """
    ages = [31 * day, 31 * day + 1, 29 * day]
    await place.owner.execute(deliveries, place.tenant, hook, ages, [False, True, False])
    await sweeper.tick()
    left = "SELECT key FROM memferry.idempotency_keys WHERE tenant_id = $1"
    log = "SELECT event FROM memferry.deliveries WHERE tenant_id = $1 ORDER BY event"

    assert [row["key"] for row in await place.owner.fetch(left, place.tenant)] == [
        str(day - 60_000)
    ]
    assert [row["event"] for row in await place.owner.fetch(log, place.tenant)] == [
        str(29 * day),
        str(31 * day + 1),
    ]


async def test_a_store_that_is_away_keeps_the_database_from_no_sweep(
    place: Place, sweeper: Sweeper
) -> None:
    old = "INSERT INTO memferry.workers (id, host, pid, version, status, seen_at) "
    await place.owner.execute(
        old + "VALUES ('old', 'a', 1, '0', 'working', now() - interval '2 d')"
    )
    place.root.rmdir()
    with pytest.raises(StorageUnavailable):
        await sweeper.tick()

    assert not await place.owner.fetchval("SELECT count(*) FROM memferry.workers WHERE id = 'old'")


async def test_entries_of_the_change_log_go_when_their_time_is_over(
    place: Place, sweeper: Sweeper
) -> None:
    rows = [(place.tenant, uuid4(), stored_at) for stored_at in (0, FAR)]
    await place.owner.executemany(
        "INSERT INTO memferry.changes (tenant_id, memory_id, saved_at, version, kind, namespaces, "
        "prev_content_len, stored_at) VALUES ($1, $2, now(), 2, 'update', '{}', 1, $3)",
        rows,
    )
    await sweeper.tick()
    query = "SELECT memory_id FROM memferry.changes WHERE tenant_id = $1"

    assert [row["memory_id"] for row in await place.owner.fetch(query, place.tenant)] == [
        rows[1][1]
    ]
