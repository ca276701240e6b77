"""Object stores that tests write to: a directory, a bucket, and what goes into them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from memferry.settings import S3Settings, StorageSettings
from memferry.storage import Storage, open_storage

MIB = 1024 * 1024


_PATTERN = bytes(range(251)) * (MIB // 251 + 2)


@dataclass(frozen=True)
class Store:
    """A store under test, and a look at what lies unfinished in it."""

    storage: Storage
    client: Any = None
    root: Path | None = None

    def list_unfinished(self) -> list[str]:
        """Temporary files, or uploads that were neither completed nor aborted."""
        if self.root is not None:
            return [str(path) for path in self.root.rglob("*partial*")]
        uploads = self.client.list_multipart_uploads(Bucket="bucket")
        return [each["Key"] for each in uploads.get("Uploads", [])]


@contextmanager
def run_moto_server() -> Iterator[str]:
    """Moto's S3 server over HTTP; answers its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def make_empty_bucket(options: S3Settings, prefix: str = "some/prefix") -> Store:
    """A bucket with nothing in it, no upload either, and a client of another maker to look in."""
    client: Any = boto3.client(
        "s3",
        endpoint_url=options.endpoint,
        region_name="us-east-1",
        aws_access_key_id=options.access_key,
        aws_secret_access_key=options.secret_key,
    )
    client.create_bucket(Bucket="bucket")
    for each in client.list_objects_v2(Bucket="bucket").get("Contents", []):
        client.delete_object(Bucket="bucket", Key=each["Key"])
    for each in client.list_multipart_uploads(Bucket="bucket").get("Uploads", []):
        client.abort_multipart_upload(Bucket="bucket", Key=each["Key"], UploadId=each["UploadId"])
    return Store(
        open_storage(StorageSettings(url=f"s3://bucket/{prefix}", s3=options)), client=client
    )


async def make_chunks(size: int, fault: Exception | None = None) -> AsyncIterator[bytes]:
    """That many bytes, all different from their neighbours; then the fault, if any."""
    for start in range(0, size, MIB):
        shift = start // MIB
        yield _PATTERN[shift : shift + min(MIB, size - start)]
        await asyncio.sleep(0)
    if fault is not None:
        raise fault


async def put(store: Store, key: str, source: AsyncIterator[bytes]) -> None:
    digest = hashlib.sha256()

    async def digest_chunks() -> AsyncIterator[bytes]:
        async for chunk in source:
            digest.update(chunk)
            yield chunk

    await store.storage.put(
        key, digest_chunks(), sha256=digest.digest, media_type="text/plain", filename="file.txt"
    )


async def read(store: Store, key: str, start: int, end: int) -> bytes:
    return b"".join([chunk async for chunk in store.storage.read(key, start, end)])


async def list_keys(store: Store, prefix: str = "t") -> list[str]:
    return sorted([each.key async for each in store.storage.list(prefix)])
