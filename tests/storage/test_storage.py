"""The object stores: one suite of claims, run over every kind."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from memferry.errors import Misconfigured, ObjectNotFound, StorageUnavailable
from memferry.settings import S3Settings, StorageSettings
from memferry.storage import open_storage, s3_options
from support.ceph_server import run_ceph_server
from support.stores import (
    MIB,
    Store,
    list_keys,
    make_chunks,
    make_empty_bucket,
    put,
    read,
    run_moto_server,
)


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Settings]:
    """Moto's server: every operation, no check of signatures."""
    with run_moto_server() as url:
        yield S3Settings(endpoint=url, access_key="key", secret_key="secret")


@pytest.fixture(scope="module")
def ceph() -> Iterator[S3Settings]:
    """Ceph's server, which checks signatures too."""
    if shutil.which("radosgw") is None:
        pytest.skip("Ceph is not installed (Debian: radosgw ceph-mon ceph-osd ceph-common)")
    with run_ceph_server() as (url, access_key, secret_key):
        yield S3Settings(endpoint=url, access_key=access_key, secret_key=secret_key)


@pytest.fixture(params=["local", "moto", pytest.param("ceph", marks=pytest.mark.ceph)])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "local":
        root = tmp_path / "objects"
        local = Store(open_storage(StorageSettings(url=root.as_uri())), root=root)
        await local.storage.prepare()
        yield local
        return
    bucket = make_empty_bucket(request.getfixturevalue(request.param))
    yield bucket
    await bucket.storage.close()


@pytest.mark.parametrize("size", [0, 1, 8 * MIB, 20 * MIB + 5])
async def test_an_object_is_read_back_as_it_was_put(store: Store, size: int) -> None:
    await put(store, "t/x/1", make_chunks(size))
    expected = b"".join([chunk async for chunk in make_chunks(size)])

    assert (await store.storage.stat("t/x/1")).size_bytes == size
    assert await read(store, "t/x/1", 0, size) == expected
    for start, end in ((size // 3, size // 2), (max(size - 7, 0), size), (0, min(size, 1))):
        assert await read(store, "t/x/1", start, end) == expected[start:end]
    assert await list_keys(store) == ["t/x/1"]


@pytest.mark.parametrize("server", ["moto", pytest.param("ceph", marks=pytest.mark.ceph)])
@pytest.mark.parametrize("prefix", ["a%20b", "a b", "a+b=c&d", "é", "~a"])
async def test_a_prefix_may_have_any_characters(
    request: pytest.FixtureRequest, server: str, prefix: str
) -> None:
    store = make_empty_bucket(request.getfixturevalue(server), prefix)
    await put(store, "t/x/1", make_chunks(5))
    there = store.client.list_objects_v2(Bucket="bucket")["Contents"]

    assert len(await read(store, "t/x/1", 0, 5)) == 5
    assert await list_keys(store) == ["t/x/1"]
    assert [each["Key"].rpartition("/t/x/1")[1] for each in there] == ["/t/x/1"]
    await store.storage.close()


@pytest.mark.long
async def test_a_reader_may_take_longer_than_a_request(
    moto: S3Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_empty_bucket(moto)
    await put(store, "t/x/1", make_chunks(24 * MIB))
    monkeypatch.setattr(s3_options, "_REQUEST_TIMEOUT", timedelta(seconds=1))
    hasty = open_storage(StorageSettings(url="s3://bucket/some/prefix", s3=moto))
    size = 0
    async for chunk in hasty.read("t/x/1", 0, 24 * MIB):
        await asyncio.sleep(0.4)
        size += len(chunk)
    await hasty.close()
    await store.storage.close()

    assert size == 24 * MIB


async def test_a_missing_object_is_not_found(store: Store) -> None:
    with pytest.raises(ObjectNotFound):
        await store.storage.stat("t/none")
    with pytest.raises(ObjectNotFound):
        await read(store, "t/none", 0, 1)
    await store.storage.delete("t/none")


async def test_a_deleted_object_is_gone(store: Store) -> None:
    await put(store, "t/1", make_chunks(1))
    for _ in range(2):
        await store.storage.delete("t/1")

    assert await list_keys(store) == []


async def test_no_object_is_overwritten(store: Store) -> None:
    await put(store, "t/1", make_chunks(1))

    with pytest.raises(FileExistsError):
        await put(store, "t/1", make_chunks(2))
    assert (await store.storage.stat("t/1")).size_bytes == 1
    assert store.list_unfinished() == []


async def test_only_whole_objects_are_listed(store: Store) -> None:
    seen: list[list[str]] = []

    async def looked_at() -> AsyncIterator[bytes]:
        async for chunk in make_chunks(18 * MIB):
            yield chunk
        seen.append(await list_keys(store))

    await put(store, "t/1", looked_at())

    assert (seen, await list_keys(store)) == ([[]], ["t/1"])


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", ["t/1", "t/10", "tx/1"]),
        ("t", ["t/1", "t/10", "tx/1"]),
        ("t/", ["t/1", "t/10"]),
        ("t/1", ["t/1", "t/10"]),
        ("u/", []),
    ],
)
async def test_a_prefix_is_any_beginning_of_a_key(
    store: Store, prefix: str, expected: list[str]
) -> None:
    for key in ("t/1", "t/10", "tx/1"):
        await put(store, key, make_chunks(1))

    assert await list_keys(store, prefix) == expected


async def test_a_put_whose_source_fails_leaves_no_object(store: Store) -> None:
    with pytest.raises(LookupError, match="the rows are gone"):
        await put(store, "t/1", make_chunks(20 * MIB, LookupError("the rows are gone")))

    assert (await list_keys(store), store.list_unfinished()) == ([], [])


async def test_a_cancelled_put_leaves_no_object(store: Store) -> None:
    reached = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        async for chunk in make_chunks(18 * MIB):
            yield chunk
        reached.set()
        await asyncio.sleep(0.5)
        yield b"never"

    task = asyncio.create_task(put(store, "t/1", slow()))
    await reached.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await list_keys(store), store.list_unfinished()) == ([], [])


async def test_a_put_cancelled_at_any_moment_is_whole_or_nothing(store: Store) -> None:
    finished = []
    for moment in range(40):
        task = asyncio.create_task(put(store, f"t/{moment:02}", make_chunks(3 * MIB)))
        await asyncio.sleep(moment / 2500)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0)
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        if outcome is None:
            finished.append(f"t/{moment:02}")
        else:
            assert isinstance(outcome, asyncio.CancelledError)

    assert (await list_keys(store), store.list_unfinished()) == (finished, [])


async def test_a_signed_address_serves_ranges_under_the_files_name(store: Store) -> None:
    await put(store, "t/1", make_chunks(MIB))
    address = await store.storage.sign("t/1", lifetime=timedelta(minutes=1))
    if store.root is not None:
        assert address is None
        return
    assert address is not None

    answer = httpx.get(address, headers={"Range": "bytes=3-9"})

    assert (answer.status_code, answer.content) == (206, bytes(range(3, 10)))
    assert answer.headers["content-disposition"] == 'attachment; filename="file.txt"'


@pytest.mark.ceph
async def test_a_wrong_secret_is_refused(ceph: S3Settings) -> None:
    make_empty_bucket(ceph)
    storage = open_storage(
        StorageSettings(url="s3://bucket/some/prefix", s3=replace(ceph, secret_key="wrong"))
    )

    with pytest.raises(StorageUnavailable):
        await storage.ping()


@pytest.mark.ceph
async def test_a_signed_address_opens_one_object_by_one_method_until_it_expires(
    ceph: S3Settings,
) -> None:
    store = make_empty_bucket(ceph)
    for key in ("t/1", "t/2"):
        await put(store, key, make_chunks(10))
    link = await store.storage.sign("t/1", lifetime=timedelta(minutes=1))
    short = await store.storage.sign("t/1", lifetime=timedelta(seconds=1))
    await store.storage.close()
    assert link is not None
    assert short is not None
    await asyncio.sleep(2.5)

    assert httpx.get(link).status_code == 200
    assert httpx.get(short).status_code == 403
    assert httpx.get(link.replace("t/1?", "t/2?")).status_code == 403
    assert httpx.delete(link).status_code == 403


@pytest.mark.parametrize("url", ["", "x", "ftp://x/y", "file://host/x", "s3://", "gs://bucket"])
def test_an_address_of_an_unknown_store_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="MEMFERRY_STORAGE_URL"):
        open_storage(StorageSettings(url=url))
