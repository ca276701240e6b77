"""An S3 bucket as object store, through obstore."""

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import obstore
from obstore import exceptions
from obstore.store import S3Store

from memferry.cancellation import finish_uncancelled
from memferry.errors import (
    MemferryError,
    Misconfigured,
    ObjectNotFound,
    StorageUnavailable,
    WrongBytes,
)
from memferry.settings import S3Settings
from memferry.storage.base import CHUNK_BYTES, ObjectInfo, Storage, Upload
from memferry.storage.s3_multipart import MultipartUpload
from memferry.storage.s3_options import make_client_options, make_config
from memferry.storage.s3_uploads import NO_BUCKET, REFUSED, Uploads, describe_refusal
from memferry.storage.sources import StoppableSource

# Parts of obstore's uploads: four in flight and one being filled are 40 MiB; 10,000 are 80 GB.
_PART_BYTES = 8 * 1024 * 1024
_PARTS_AT_ONCE = 4
# The default of obstore retries for three minutes, which is too long for a request.
_RETRIES = 4
_RETRY_TIMEOUT = timedelta(seconds=10)
# A store that accepts connections and never answers counts as unavailable. Only transfers may take
# longer, as long as bytes arrive.
_ANSWER_SECONDS = 10
_STALL_SECONDS = 30
_LEAST_CHUNK_BYTES = 256 * 1024


@contextmanager
def _translate_faults() -> Iterator[None]:
    """Raise obstore's faults as ours, without its texts: they may hold the signed address."""
    try:
        yield
    except (exceptions.NotFoundError, FileNotFoundError) as fault:
        if "<Code>NoSuchBucket<" in str(fault):
            raise StorageUnavailable(NO_BUCKET) from fault
        raise ObjectNotFound from fault
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as fault:
        raise StorageUnavailable(REFUSED) from fault
    except (exceptions.BaseError, TimeoutError) as fault:
        raise StorageUnavailable(describe_refusal(str(fault), type(fault).__name__)) from fault


@contextmanager
def _translate_write_faults() -> Iterator[None]:
    """Raise faults as `_translate_faults`; the one thing that can be missing here is the bucket."""
    try:
        with _translate_faults():
            yield
    except ObjectNotFound as fault:
        raise StorageUnavailable(NO_BUCKET) from fault


class S3Storage(Storage):
    """Objects below a prefix of one bucket."""

    # One range, the next one in transit, and the chunk that is handed out.
    read_bytes = 2 * _PART_BYTES + CHUNK_BYTES
    write_bytes = (_PARTS_AT_ONCE + 2) * _PART_BYTES

    def __init__(self, bucket: str, prefix: str, options: S3Settings) -> None:
        if options.kms_key is not None and options.encryption != "aws:kms":
            raise Misconfigured("MEMFERRY_S3_SSE_KMS_KEY_ID: goes with MEMFERRY_S3_SSE=aws:kms")
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            config=make_config(options),
            client_options=make_client_options(options),
            retry_config={"max_retries": _RETRIES, "retry_timeout": _RETRY_TIMEOUT},
        )
        self._uploads = Uploads(bucket, prefix, options)

    async def put(
        self,
        key: str,
        chunks: AsyncIterable[bytes],
        *,
        sha256: Callable[[], bytes],
        media_type: str,
        filename: str,
    ) -> None:
        """Write one object by multipart upload, and read it back.

        The upload is aborted when its source raises. A cancelled caller stops the source and waits
        for the abort: cancelling obstore's own call would leave the upload unfinished.
        """
        await self._refuse_existing(key)
        source = StoppableSource(chunks)
        write = self._upload_parts if self._uploads.usable else self._upload_by_obstore
        upload = asyncio.ensure_future(write(key, source, media_type, filename))
        try:
            await asyncio.shield(upload)
            if await self._read_back(key) != sha256():
                await self.delete(key)
                raise WrongBytes
        except asyncio.CancelledError:
            source.stop()
            await finish_uncancelled(asyncio.ensure_future(self._remove_uploaded(upload, key)))
            raise

    async def _remove_uploaded(self, upload: "asyncio.Future[None]", key: str) -> None:
        """Wait for the end of an upload, and remove the object if there is one."""
        await asyncio.wait([upload])
        if upload.exception() is None:
            await self.delete(key)

    async def _read_back(self, key: str) -> bytes:
        """Read the stored object and answer its digest; raises WrongBytes if there is none."""
        digest = hashlib.sha256()
        try:
            async for chunk in self.read(key, 0, (await self.stat(key)).size_bytes):
                await asyncio.to_thread(digest.update, chunk)
        except ObjectNotFound as fault:
            raise WrongBytes from fault
        return digest.digest()

    async def _upload_parts(
        self, key: str, source: StoppableSource, media_type: str, filename: str
    ) -> None:
        upload = MultipartUpload(
            self._uploads, key, await self._uploads.create(key, media_type, filename)
        )
        try:
            await upload.send(source)
            await upload.complete()
        except BaseException:
            with suppress(StorageUnavailable):
                await self._uploads.abort(Upload(key, upload.upload_id))
            raise

    async def _upload_by_obstore(
        self, key: str, source: StoppableSource, media_type: str, filename: str
    ) -> None:
        try:
            with _translate_write_faults():
                await obstore.put_async(
                    self._store,
                    key,
                    source,
                    attributes={
                        "Content-Type": media_type,
                        "Content-Disposition": f'attachment; filename="{filename}"',
                    },
                    use_multipart=True,
                    chunk_size=_PART_BYTES,
                    max_concurrency=_PARTS_AT_ONCE,
                )
        except Exception:
            # obstore wraps the exception of the source, or drops it.
            if source.fault is not None:
                raise source.fault from None
            raise

    async def _refuse_existing(self, key: str) -> None:
        # obstore has put-if-absent only for objects that are held whole in memory.
        try:
            await self.stat(key)
        except ObjectNotFound:
            return
        raise FileExistsError(key)

    async def stat(self, key: str) -> ObjectInfo:
        """Size and time of change of one object."""
        with _translate_faults():
            async with asyncio.timeout(_ANSWER_SECONDS):
                return _make_info(await obstore.head_async(self._store, key))

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes of an object, and fetch the next 8 MiB meanwhile.

        Each 8 MiB are a request of their own: no request lasts as long as a slow reader does.
        """
        if start >= end:
            await self.stat(key)
            return
        fetch = asyncio.ensure_future(self._fetch(key, start, end))
        try:
            for position in range(start, end, _PART_BYTES):
                fetched = await fetch
                if position + _PART_BYTES < end:
                    fetch = asyncio.ensure_future(self._fetch(key, position + _PART_BYTES, end))
                for offset in range(0, len(fetched), CHUNK_BYTES):
                    yield fetched[offset : offset + CHUNK_BYTES]
        finally:
            fetch.cancel()
            with suppress(asyncio.CancelledError, MemferryError):
                await fetch

    async def _fetch(self, key: str, start: int, end: int) -> bytes:
        """Up to 8 MiB of an object from `start` on."""
        stop, received = min(start + _PART_BYTES, end), bytearray()
        with _translate_faults():
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await obstore.get_async(self._store, key, options={"range": (start, stop)})
            chunks = aiter(answer.stream(min_chunk_size=_LEAST_CHUNK_BYTES))
            while len(received) < stop - start:
                async with asyncio.timeout(_STALL_SECONDS):
                    received += await anext(chunks, b"") or _fail_short()
        return bytes(received)

    async def sign(self, key: str, *, lifetime: timedelta) -> str | None:
        """Make a presigned GET (Signature Version 4)."""
        with _translate_faults():
            return await obstore.sign_async(self._store, "GET", key, lifetime)

    async def delete(self, key: str) -> None:
        """Remove an object."""
        try:
            with _translate_faults():
                async with asyncio.timeout(_STALL_SECONDS):
                    await obstore.delete_async(self._store, key)
        except ObjectNotFound:
            return

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Yield every object below the prefix; obstore itself matches whole path segments only."""
        directory = prefix.rpartition("/")[0]
        with _translate_write_faults():
            async for page in _limit_waits(obstore.list(self._store, directory or None)):
                for meta in page:
                    if meta["path"].startswith(prefix):
                        yield _make_info(meta)

    async def list_uploads(self, prefix: str) -> AsyncIterator[Upload]:
        """Yield every multipart upload in progress below the prefix."""
        async for upload in self._uploads.list(prefix):
            yield upload

    async def abort(self, upload: Upload) -> None:
        """Abort a multipart upload."""
        await self._uploads.abort(upload)

    async def close(self) -> None:
        """Close all connections."""
        await self._uploads.close()

    async def ping(self) -> None:
        """Check that the bucket can be listed."""
        with _translate_write_faults():
            async with asyncio.timeout(_ANSWER_SECONDS):
                async for _ in obstore.list(self._store, chunk_size=1):
                    return


def _fail_short() -> bytes:
    raise StorageUnavailable("the object store sent fewer bytes than the object has")


async def _limit_waits(pages: AsyncIterable[Any]) -> AsyncIterator[Any]:
    """Yield the pages of a list, and wait 30 s at most for each."""
    iterator = aiter(pages)
    while True:
        try:
            async with asyncio.timeout(_STALL_SECONDS):
                page = await anext(iterator)
        except StopAsyncIteration:
            return
        yield page


def _make_info(meta: Any) -> ObjectInfo:
    return ObjectInfo(meta["path"], meta["size"], meta["last_modified"])
