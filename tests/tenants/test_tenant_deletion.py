"""A tenant that is deleted leaves nothing: no row in any table, no file, no unfinished upload."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from memferry.audit.service import Audit
from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.errors import Invalid, StorageUnavailable, UnknownToken
from memferry.memories.service import Memories
from memferry.model.audit import Entry
from memferry.model.identity import new_export_id
from memferry.model.memory import ValidMemory
from memferry.model.token import Caller
from memferry.settings import StorageSettings
from memferry.storage import Storage, open_storage
from memferry.tenants.deletion import TenantDeletion
from memferry.tenants.operator import Operator
from memferry.worker.sweeper import Sweeper
from support.canaries import ALICE, BOB, list_tables, make_query_for_bob, plant
from support.faults import run_plant
from support.gates import Step
from support.memories import save_one_batch
from support.postgres import create_database, open_database
from support.service import Service
from support.waiting import wait_until

NEW = ValidMemory(
    content="secret", namespace="default", tags=[], source="agent", source_ref=None, metadata=None
)
MANY = 100_000
_MANY_MEMORIES = """
    INSERT INTO memferry.memories
        (tenant_id, id, content, namespace, tags, source, metadata, created_at, updated_at)
    SELECT $1, gen_random_uuid(), 'memory ' || i, 'default', '{a}', 'agent', '{"n": 1}', i, i
    FROM generate_series(1, $2::integer) AS i
"""


@pytest.fixture
def url(database_url: str) -> Iterator[str]:
    """A database of its own."""
    with create_database(database_url) as own:
        yield own


@pytest.fixture
async def owner(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
def store(tmp_path: Path) -> Storage:
    return open_storage(StorageSettings(url=tmp_path.as_uri()))


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with open_database(url, size=2) as found:
        yield found


def put(root: Path, name: str) -> None:
    """Put a file into a store."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(b"x")


def files(root: Path) -> set[str]:
    """All files of a store."""
    return {each.relative_to(root).as_posix() for each in root.rglob("*") if each.is_file()}


async def rows(owner: "asyncpg.Connection[asyncpg.Record]", tenant: str) -> dict[str, int]:
    """How many rows of a tenant each table has that says whose its rows are."""
    found: dict[str, int] = {}
    for table in await list_tables(owner):
        count = f"SELECT count(*) FROM memferry.{table} WHERE tenant_id = $1"
        found[table] = await owner.fetchval(count, UUID(tenant))
    return found


async def test_deleting_a_tenant_leaves_no_row_in_any_table(
    owner: "asyncpg.Connection[asyncpg.Record]", url: str, store: Storage
) -> None:
    await plant(owner, with_bob=True)
    of_bob = await make_query_for_bob(owner)
    bob, before = await owner.fetch(of_bob), await rows(owner, ALICE)
    removed = await TenantDeletion(url, store).delete("Alice")

    assert min(before.values()) >= 1
    assert set((await rows(owner, ALICE)).values()) == {0}
    # Tokens go first, and the sign-ins of browsers with them.
    assert removed.rows >= len(before.keys() - {"tokens", "sign_ins"})
    assert await owner.fetch(of_bob) == bob
    assert [row["id"] for row in await owner.fetch("SELECT id FROM memferry.tenants")] == [
        UUID(BOB)
    ]


async def test_deleting_a_tenant_leaves_no_file_in_the_store(
    owner: "asyncpg.Connection[asyncpg.Record]", url: str, store: Storage, tmp_path: Path
) -> None:
    await plant(owner, with_bob=True)
    export_id = new_export_id()
    for name in (f"{export_id}/1", f"{export_id}/.2.0123456789abcdef.partial", "notes.txt"):
        put(tmp_path, f"{ALICE}/{name}")
    put(tmp_path, f"{BOB}/{export_id}/1")
    removed = await TenantDeletion(url, store).delete("Alice")

    assert removed.files == 3
    assert files(tmp_path) == {f"{BOB}/{export_id}/1"}
    assert not (tmp_path / ALICE).exists()


async def test_deleting_a_tenant_removes_directories_of_a_killed_writer(
    owner: "asyncpg.Connection[asyncpg.Record]", url: str, store: Storage, tmp_path: Path
) -> None:
    await plant(owner, with_bob=False)
    (tmp_path / ALICE / new_export_id()).mkdir(parents=True)
    (tmp_path / BOB / new_export_id()).mkdir(parents=True)
    await TenantDeletion(url, store).delete("Alice")

    assert [path.name for path in tmp_path.iterdir()] == [BOB]


async def test_a_file_written_after_the_deletion_of_its_tenant_is_swept(
    owner: "asyncpg.Connection[asyncpg.Record]",
    url: str,
    store: Storage,
    database: Database,
    tmp_path: Path,
) -> None:
    await plant(owner, with_bob=False)
    await TenantDeletion(url, store).delete("Alice")
    put(tmp_path, f"{ALICE}/{new_export_id()}/1")
    somebody_elses = f"{uuid4()}/{new_export_id()}/1"
    put(tmp_path, somebody_elses)
    await Sweeper(database, store).tick()

    assert files(tmp_path) == {somebody_elses}


async def test_deleting_an_unknown_tenant_is_refused(url: str, store: Storage) -> None:
    with pytest.raises(Invalid, match="tenant"):
        await TenantDeletion(url, store).delete("Alice")


async def test_while_the_store_is_unavailable_the_tenant_stays_but_its_tokens_are_refused(
    url: str, database: Database, tmp_path: Path, store: Storage
) -> None:
    await Operator(url).create_token("Alice", "")
    (tmp_path / "closed").write_text("no directory, so nothing below it can be removed")
    away = open_storage(StorageSettings(url=(tmp_path / "closed").as_uri()))
    with pytest.raises(StorageUnavailable):
        await TenantDeletion(url, away).delete("Alice")
    (tenant,) = await Operator(url).list_tenants()

    assert (tenant["name"], tenant["leaving_at"] is None) == ("Alice", False)
    with pytest.raises(Invalid, match="is being deleted"):
        await Operator(url).create_token("Alice", "again")
    with pytest.raises(UnknownToken):
        await Memories(database).save(Caller(tenant_id=tenant["id"]), NEW)
    with pytest.raises(UnknownToken):
        await Memories(database).save_many(
            Caller(tenant_id=tenant["id"]), save_one_batch(NEW), most=1
        )
    await TenantDeletion(url, store).delete("Alice")
    assert list(await Operator(url).list_tenants()) == []


@pytest.mark.parametrize("many", [False, True])
async def test_deleting_a_tenant_removes_rows_saved_during_the_deletion(
    owner: "asyncpg.Connection[asyncpg.Record]",
    url: str,
    store: Storage,
    database: Database,
    *,
    many: bool,
) -> None:
    await Operator(url).create_token("Alice", "")
    tenant = await owner.fetchval("SELECT id FROM memferry.tenants")
    waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
    async with database.tenant(tenant) as connection:
        values: list[object] = [uuid4(), "secret", "default", "{}", "agent", None, None]
        if many:
            columns = [[each] for each in (*values, None, None)]
            assert await connection.fetchval(sql("memories/save_memories"), *columns, 9, 9, [None])
        else:
            values[3] = []
            assert await connection.fetchval(sql("memories/save_memory"), *values, 9, 9, None)
        deletion = asyncio.create_task(TenantDeletion(url, store).delete("Alice"))
        while not await owner.fetchval(waiting):
            assert not deletion.done()
            await asyncio.sleep(0.01)
    await deletion

    assert set((await rows(owner, str(tenant))).values()) == {0}


async def test_an_audit_entry_of_a_deleted_tenant_is_refused(
    owner: "asyncpg.Connection[asyncpg.Record]", url: str, store: Storage, database: Database
) -> None:
    await Operator(url).create_token("Alice", "")
    tenant = await owner.fetchval("SELECT id FROM memferry.tenants")
    await TenantDeletion(url, store).delete("Alice")
    entry = Entry(event="export.downloaded", outcome="interrupted", subject=new_export_id())
    await Audit(database).record(Caller(tenant_id=tenant), entry)

    assert await owner.fetchval("SELECT count(*) FROM memferry.audit") == 0


def command(*arguments: str, url: str, home: Path) -> "subprocess.Popen[bytes]":
    """Start a command on that database."""
    return subprocess.Popen(
        [sys.executable, "-m", "memferry", *arguments, "--data-dir", str(home)],
        env=os.environ | {"MEMFERRY_DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.long
async def test_a_deletion_of_a_tenant_killed_at_any_step_completes_when_repeated(
    owner: "asyncpg.Connection[asyncpg.Record]", url: str, tmp_path: Path
) -> None:
    await Operator(url).create_token("Alice", "")
    tenant = await owner.fetchval("SELECT id FROM memferry.tenants")
    await owner.execute(_MANY_MEMORIES, tenant, MANY)
    put(tmp_path, f"exports/{tenant}/{new_export_id()}/1")
    count = "SELECT count(*) FROM memferry.memories"
    left = [MANY]
    for _ in range(3):
        process = command("tenant", "delete", "Alice", "--yes", url=url, home=tmp_path)
        while await owner.fetchval(count) == left[-1]:
            assert process.poll() is None
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        left.append(await owner.fetchval(count))
    process = command("tenant", "delete", "Alice", "--yes", url=url, home=tmp_path)
    _, complaints = await asyncio.to_thread(process.communicate)

    assert process.returncode == 0, complaints
    # What was removed before a kill stays removed: there is no one large transaction.
    assert left == sorted(left, reverse=True)
    assert 0 < left[-1] < left[1] < MANY
    assert set((await rows(owner, str(tenant))).values()) == {0}
    assert files(tmp_path) == set()


async def test_tenant_delete_needs_a_confirmation(
    owner: "asyncpg.Connection[asyncpg.Record]", service: Service, database_url: str, home: Path
) -> None:
    del owner
    name = f"alice-{uuid4()}"
    token = (await Operator(database_url).create_token(name, "")).text

    def status() -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{service.url}/api/namespaces", headers=headers).status_code

    def run(*words: str) -> tuple[int, bytes]:
        process = command("tenant", *words, url=database_url, home=home)
        said, complaints = process.communicate(timeout=60)
        return process.returncode, said + complaints

    careful = run("delete", name)
    assert (careful[0], status()) == (1, 200)
    assert b"--yes" in careful[1]
    assert name[:12].encode() in run("list")[1]
    assert run("delete", name, "--yes")[0] == 0
    assert status() == 401
    assert name[:12].encode() not in run("list")[1]


@pytest.mark.faults
@pytest.mark.parametrize("step", [Step.MIDDLE, Step.NAMED])
def test_a_running_export_of_a_deleted_tenant_publishes_nothing(
    request: pytest.FixtureRequest, step: Step
) -> None:
    with run_plant(request) as place:
        export_id = place.ask()
        ((name,),) = place.sql("SELECT name FROM memferry.tenants WHERE name LIKE 'victim%'")
        with place.close_gate(step) as gate:
            worker = place.start_worker()
            gate.wait()
            worker.send_signal(signal.SIGSTOP)
            store = open_storage(StorageSettings(url=place.service.store.as_uri()))
            asyncio.run(TenantDeletion(place.url, store).delete(name))
            assert place.files() == []
        worker.send_signal(signal.SIGCONT)
        log = place.place / "workers.log"
        wait_until(lambda: f"export {export_id}: attempt 1 lost it" in log.read_text())
        place.assert_files([], export_id)
        assert place.person.get("/api/namespaces").status_code == 401
        assert worker.poll() is None
