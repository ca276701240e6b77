"""Stores that are slow, stalled, refusing or without their bucket: told apart, never permanent."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from itertools import accumulate
from pathlib import Path

import httpx
import pytest

from memferry.errors import StorageUnavailable
from memferry.settings import S3Settings, StorageSettings
from memferry.storage import open_storage, s3_uploads
from memferry.storage.s3_multipart import (
    LEAST_PART_BYTES,
    MIB,
    LinkSpeed,
    MultipartUpload,
    PartSizes,
)
from memferry.storage.s3_uploads import Uploads
from support.fault_proxy import Fault, FaultProxy, run_fault_proxy
from support.people import make_person
from support.postgres import create_database
from support.service import Service, start_service, stop_service
from support.stores import Store, make_chunks, make_empty_bucket, put, read, run_moto_server


def options(endpoint: str, *, signing: bool = True) -> S3Settings:
    """With keys of our own to sign with, or with what obstore finds."""
    if not signing:
        return S3Settings(endpoint=endpoint)
    return S3Settings(endpoint=endpoint, access_key="key", secret_key="secret")


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with run_moto_server() as url:
        yield url


@pytest.fixture
def proxy(moto: str) -> Iterator[FaultProxy]:
    with run_fault_proxy(moto) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds instead of half minutes."""
    limits = httpx.Timeout(connect=1, read=3, write=1, pool=None)
    monkeypatch.setattr(s3_uploads, "_TIMEOUTS", limits)
    monkeypatch.setattr(s3_uploads, "_PAUSES_SECONDS", (0.1,))


@pytest.fixture
async def store(proxy: FaultProxy, moto: str) -> AsyncIterator[Store]:
    """An empty bucket that is reached through the proxy, and looked into beside it."""
    storage = open_storage(StorageSettings(url="s3://bucket/some/prefix", s3=options(proxy.url)))
    yield Store(storage, client=make_empty_bucket(options(moto)).client)
    await storage.close()


async def test_a_part_may_take_longer_than_any_limit_while_it_moves(
    store: Store, proxy: FaultProxy
) -> None:
    proxy.inject(Fault("slow", names=frozenset({"UploadPart"}), rate=MIB))
    await put(store, "slow", make_chunks(LEAST_PART_BYTES))

    assert len(await read(store, "slow", 0, LEAST_PART_BYTES)) == LEAST_PART_BYTES


async def test_a_part_that_does_not_move_ends_soon_and_leaves_nothing(
    store: Store, proxy: FaultProxy
) -> None:
    proxy.inject(Fault("silent", names=frozenset({"UploadPart"})))
    with pytest.raises(StorageUnavailable, match="is away"):
        await put(store, "stalled", make_chunks(LEAST_PART_BYTES))
    proxy.heal()

    assert store.list_unfinished() == []


async def test_parts_that_fail_together_fail_the_upload_once(
    store: Store, proxy: FaultProxy
) -> None:
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    proxy.inject(Fault("answer", names=frozenset({"UploadPart"}), after=("UploadPart", 2)))

    async def source() -> AsyncIterator[bytes]:
        async for chunk in make_chunks(4 * 8 * MIB):
            yield chunk
        # The parts in flight fail while the next one is waited for.
        await asyncio.to_thread(proxy.wait_struck, 4)
        await asyncio.sleep(0.5)
        async for chunk in make_chunks(8 * MIB):
            yield chunk

    upload = asyncio.ensure_future(put(store, "together", source()))
    await asyncio.wait([upload])
    assert isinstance(upload.exception(), StorageUnavailable)
    del upload
    gc.collect()

    assert told == []


def test_the_parts_of_an_upload_can_hold_the_largest_object() -> None:
    sizes = [PartSizes().compute(number) for number in range(1, 10_001)]

    assert sum(sizes) >= 5 * 1024 * 1024 * MIB
    # S3 takes 5 GiB, and a part lies in memory.
    assert max(sizes) <= 1700 * MIB
    # 50 GiB, the default limit of an export, without large parts.
    needed = sum(whole < 50 * 1024 * MIB for whole in accumulate(sizes)) + 1
    assert sizes[needed - 1] <= 32 * MIB


async def test_an_object_of_parts_that_grow_is_whole(store: Store, moto: str) -> None:
    # Two parts of 5 MiB, two of 10, and the last ones of 15.
    sizes = PartSizes(first_bytes=5 * MIB, parts_of_a_size=2, most_bytes=15 * MIB)
    uploads = Uploads("bucket", "some/prefix", options(moto))
    upload_id = await uploads.create("grown", "text/plain", "grown")
    speed = LinkSpeed(quick=True, sizes=sizes)
    upload = MultipartUpload(uploads, "grown", upload_id, speed)
    await upload.send(make_chunks(63 * MIB))
    await upload.complete()
    await uploads.close()
    client = store.client
    parts = [
        client.head_object(Bucket="bucket", Key="some/prefix/grown", PartNumber=number)
        for number in range(1, 7)
    ]
    expected = b"".join([chunk async for chunk in make_chunks(63 * MIB)])

    assert [part["ContentLength"] // MIB for part in parts] == [5, 5, 10, 10, 15, 15]
    assert await read(store, "grown", 0, len(expected)) == expected


def test_the_size_of_parts_follows_the_speed_of_the_link() -> None:
    speed = LinkSpeed()

    assert (speed.choose_part_bytes(1), speed.choose_parts_at_once(1)) == (LEAST_PART_BYTES, 1)
    speed.record_part(1.0)
    assert (speed.choose_part_bytes(2), speed.choose_parts_at_once(2)) == (8 * MIB, 4)
    speed.record_part(100.0)
    assert (speed.choose_part_bytes(3), speed.choose_parts_at_once(3)) == (LEAST_PART_BYTES, 1)
    assert speed.choose_part_bytes(1001) == 16 * MIB


def test_the_parts_in_flight_fit_into_memory() -> None:
    speed = LinkSpeed(quick=True)
    held = [
        speed.choose_part_bytes(number) * (speed.choose_parts_at_once(number) + 1)
        for number in range(1, 3001)
    ]

    assert max(held) <= 64 * MIB


@pytest.mark.parametrize("signing", [True, False])
async def test_a_missing_bucket_is_reported(
    moto: str, *, signing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What obstore finds by itself, where the settings name no keys.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    storage = open_storage(
        StorageSettings(url="s3://no-such-bucket/x", s3=options(moto, signing=signing))
    )
    store = Store(storage)
    uses = (storage.ping, lambda: put(store, "k", make_chunks(1)), lambda: anext(storage.list("")))
    for use in uses:
        with pytest.raises(StorageUnavailable, match=r"no such bucket \(MEMFERRY_STORAGE_URL\)"):
            await use()
    await storage.close()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("status code: 403 Forbidden: <Code>AccessDenied</Code>", "refuses us (AWS_ACCESS_KEY"),
        ("status code: 403 Forbidden", "refuses us (AWS_ACCESS_KEY"),
        ("status code: 401", "refuses us (AWS_ACCESS_KEY"),
        ("status code: 400: <Code>ExpiredToken</Code>", "refuses us (AWS_ACCESS_KEY"),
        ("status code: 404: <Code>NoSuchBucket</Code>", "no such bucket (MEMFERRY_STORAGE_URL)"),
        ("status code: 301: <Code>PermanentRedirect</Code>", "another region (AWS_REGION)"),
        ("<Code>AuthorizationHeaderMalformed</Code>", "another region (AWS_REGION)"),
        ("<Code>KMS.DisabledException</Code>", "its key (MEMFERRY_S3_SSE_KMS_KEY_ID)"),
        ("<Code>SlowDown</Code> http://secret.example/", "is away (answered 503; MEMFERRY"),
    ],
)
def test_an_answer_of_the_store_is_reported_by_its_kind_and_not_repeated(
    said: str, told: str
) -> None:
    text = s3_uploads.describe_refusal(said, "answered 503")

    assert told in text
    assert "secret.example" not in text


@pytest.fixture
def bucketless(moto: str, database_url: str, tmp_path: Path) -> Iterator[tuple[Service, str]]:
    """A service whose bucket was removed once it had started."""
    store = make_empty_bucket(options(moto))
    with create_database(database_url) as url:
        service = start_service(
            tmp_path,
            MEMFERRY_DATABASE_URL=url,
            MEMFERRY_STORAGE_URL="s3://bucket/gone",
            MEMFERRY_EXPORT_ATTEMPTS="2",
            MEMFERRY_RETRY_SECONDS="1",
            AWS_ENDPOINT_URL=moto,
            AWS_ACCESS_KEY_ID="key",
            AWS_SECRET_ACCESS_KEY="secret",
        )
        for held in store.client.list_objects_v2(Bucket="bucket").get("Contents", []):
            store.client.delete_object(Bucket="bucket", Key=held["Key"])
        store.client.delete_bucket(Bucket="bucket")
        yield service, url
        stop_service(service)


def test_an_export_into_a_bucket_that_is_gone_fails_for_a_reason_that_can_pass(
    bucketless: tuple[Service, str],
) -> None:
    service, url = bucketless
    with make_person("alice", service, url) as alice:
        alice.save_many([{"content": f"memory {number}"} for number in range(10_001)])
        done = alice.wait_for(alice.export(), seconds=60)

    assert (done["status"], done["error_code"], done["retryable"]) == (
        "failed", "storage_unavailable", True,
    )  # fmt: skip
    assert "no such bucket (MEMFERRY_STORAGE_URL)" in done["error"]
