"""The identity of a store: one word in the database and in the store, made once and compared."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from memferry.database.pool import Database
from memferry.errors import OtherStore, StorageUnavailable
from memferry.model.identity import new_export_id
from memferry.operation.readiness import Readiness
from memferry.operation.store_identity import KEY, StoreIdentity
from memferry.operation.workers import Workers, WorkerSignature
from memferry.settings import S3Settings, StorageSettings
from memferry.storage import Storage, open_storage
from memferry.worker.attendance import Attendance
from memferry.worker.sweeper import Sweeper
from support.postgres import create_database, open_database
from support.stores import make_empty_bucket, run_moto_server


@pytest.fixture
def url(database_url: str) -> Iterator[str]:
    """A database that has met no store yet."""
    with create_database(database_url) as own:
        yield own


@pytest.fixture
def other_url(database_url: str) -> Iterator[str]:
    """Another database on the same server."""
    with create_database(database_url) as own:
        yield own


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with open_database(url) as database:
        yield database


async def directory(path: Path) -> Storage:
    """A store in a directory, which is made."""
    storage = open_storage(StorageSettings(url=path.as_uri()))
    await storage.prepare()
    return storage


async def test_the_first_process_writes_one_identity_into_database_and_store(
    database: Database, tmp_path: Path
) -> None:
    identity = StoreIdentity(database, await directory(tmp_path / "store"))
    with pytest.raises(StorageUnavailable):
        await identity.check()
    await identity.establish()
    await identity.check()

    assert await identity.read_database() == (tmp_path / "store" / KEY).read_text()


async def test_processes_that_start_together_agree_on_one_identity(
    database: Database, tmp_path: Path
) -> None:
    storage = await directory(tmp_path / "store")
    await asyncio.gather(*(StoreIdentity(database, storage).establish() for _ in range(5)))

    await StoreIdentity(database, storage).check()


async def test_a_bucket_keeps_its_identity(database: Database) -> None:
    with run_moto_server() as s3_url:
        store = make_empty_bucket(
            S3Settings(endpoint=s3_url, access_key="key", secret_key="secret")
        )
        identity = StoreIdentity(database, store.storage)
        await identity.establish()
        await identity.establish()
        await identity.check()
        store.client.delete_object(Bucket="bucket", Key=f"some/prefix/{KEY}")
        with pytest.raises(OtherStore, match="it holds no identity"):
            await identity.check()
        await store.storage.close()


async def test_several_databases_may_share_a_store(
    database: Database, other_url: str, tmp_path: Path
) -> None:
    storage = await directory(tmp_path / "store")
    first = StoreIdentity(database, storage)
    await first.establish()
    async with open_database(other_url) as other:
        second = StoreIdentity(other, storage)
        await second.establish()
        words = [await first.read_database(), await second.read_database()]

    assert words[0] == words[1]


async def test_another_store_and_one_made_anew_are_refused_by_name(
    database: Database, tmp_path: Path
) -> None:
    await StoreIdentity(database, await directory(tmp_path / "store")).establish()
    new = StoreIdentity(database, await directory(tmp_path / "new"))
    with pytest.raises(OtherStore, match="it holds no identity") as lost:
        await new.establish()
    (tmp_path / "new" / KEY).write_text("another")
    with pytest.raises(OtherStore, match="its identity is another, the database's is") as other:
        await new.establish()

    for fault in (lost.value, other.value):
        assert "MEMFERRY_STORAGE_URL" in str(fault)
        assert "memferry store adopt" in str(fault)


async def test_an_adopted_store_is_accepted_afterwards(
    database: Database, url: str, tmp_path: Path
) -> None:
    old = StoreIdentity(database, await directory(tmp_path / "store"))
    await old.establish()
    new = StoreIdentity(database, await directory(tmp_path / "new"))
    owner = await asyncpg.connect(url)
    await new.adopt(owner)
    await owner.close()
    await new.check()

    with pytest.raises(OtherStore):
        await old.check()


async def test_a_store_that_appears_after_its_worker_gets_its_identity_then(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    storage = open_storage(StorageSettings(url=(tmp_path / "store").as_uri()))
    attendance = attendance_of(database, storage)
    caplog.set_level(logging.INFO, "memferry.worker")
    for _ in range(2):
        await attendance.tick()
    before = await Workers(database).list_all()
    await storage.prepare()
    await attendance.tick()
    after = await Workers(database).list_all()

    assert [worker["status"] for worker in (*before, *after)] == ["store_away", "working"]
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "the object store cannot be reached",
        "the object store is there again",
    ]


def attendance_of(database: Database, storage: Storage, worker: str = "one") -> Attendance:
    return Attendance(
        Workers(database), StoreIdentity(database, storage), WorkerSignature(worker, "host", 1)
    )


async def test_a_worker_without_its_store_works_only_if_no_other_reaches_it(
    database: Database, tmp_path: Path
) -> None:
    well = attendance_of(database, await directory(tmp_path / "store"), "well")
    away = attendance_of(
        database, open_storage(StorageSettings(url=(tmp_path / "no").as_uri())), "away"
    )
    await StoreIdentity(database, await directory(tmp_path / "store")).establish()
    other = attendance_of(database, await directory(tmp_path / "other"), "other")
    alone = await away.may_work()
    await well.tick()
    beside = await away.may_work()
    await well.sign_out()

    assert (alone, beside, await away.may_work()) == (True, False, True)
    assert (await well.may_work(), await other.may_work()) == (True, False)


async def test_another_store_is_not_swept(database: Database, url: str, tmp_path: Path) -> None:
    storage = await directory(tmp_path / "store")
    await StoreIdentity(database, storage).establish()
    owner, tenant = await asyncpg.connect(url), uuid4()
    await owner.execute("INSERT INTO memferry.tenants VALUES ($1, 'alice')", tenant)
    await owner.close()
    dead = tmp_path / "store" / str(tenant) / new_export_id() / "1"
    dead.parent.mkdir(parents=True)
    dead.write_text("of an attempt that is over")
    word = (tmp_path / "store" / KEY).read_text()
    sweeper = Sweeper(database, storage, attendance=attendance_of(database, storage))
    (tmp_path / "store" / KEY).write_text("another")
    await sweeper.tick()
    kept = dead.exists()
    (tmp_path / "store" / KEY).write_text(word)
    await sweeper.tick()

    assert (kept, dead.exists()) == (True, False)
    assert (tmp_path / "store" / KEY).exists()


async def test_an_older_schema_is_not_ready_and_a_newer_one_is(
    database: Database, url: str, tmp_path: Path
) -> None:
    storage = await directory(tmp_path / "store")
    await StoreIdentity(database, storage).establish()
    owner = await asyncpg.connect(url)
    await owner.execute("INSERT INTO public.memferry_migrations VALUES ('9999_newer')")
    newer = await readiness_of(database, storage).report()
    await owner.execute("DELETE FROM public.memferry_migrations WHERE name = '0001'")
    older = await readiness_of(database, storage).report()
    await owner.execute("DROP TABLE public.memferry_migrations")
    none = await readiness_of(database, storage).report()
    await owner.close()

    assert newer.database == "ok"
    for report in (older, none):
        assert (report.ready, report.database_id) == (False, None)
        assert report.database == "no schema of memferry, or that of an older version"


async def test_concurrent_readiness_requests_share_one_check(
    database: Database, tmp_path: Path
) -> None:
    readiness = readiness_of(database, await directory(tmp_path / "store"))
    first, *others = await asyncio.gather(*(readiness.report() for _ in range(50)))

    assert all(report is first for report in others)


def readiness_of(database: Database, storage: Storage) -> Readiness:
    return Readiness(database, StoreIdentity(database, storage), Workers(database))
