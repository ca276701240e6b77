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
from memferry.storage.s3_uploads import (
    NO_BUCKET,
    REFUSED,
    Uploads,
    read_authorities,
    refusal,
)
from memferry.storage.stoppable import Stoppable, see_through

# Of obstore's own uploads, four in flight and one being filled: 40 MiB, and files of up to 80 GB.
_PART_BYTES = 8 * 1024 * 1024
_PARTS_AT_ONCE = 4
_CONNECT_TIMEOUT = timedelta(seconds=3)
# Of a whole part: without credentials of our own obstore writes them, and knows no other limit.
_REQUEST_TIMEOUT = timedelta(minutes=15)
# obstore's own default goes on for three minutes: too long for a person who waits for an answer.
_RETRIES = 4
_RETRY_TIMEOUT = timedelta(seconds=10)
# A store that takes connections and never answers is away too; only transfers may take longer, for
# as long as something comes.
_ANSWER_SECONDS = 10
_STALL_SECONDS = 30
_LEAST_CHUNK_BYTES = 256 * 1024


@contextmanager
def _translated() -> Iterator[None]:
    """Turn obstore's faults into ours; its own texts may hold the address of the request."""
    try:
        yield
    except (exceptions.NotFoundError, FileNotFoundError) as fault:
        if "<Code>NoSuchBucket<" in str(fault):
            raise StorageUnavailable(NO_BUCKET) from fault
        raise ObjectNotFound from fault
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as fault:
        raise StorageUnavailable(REFUSED) from fault
    except (exceptions.BaseError, TimeoutError) as fault:
        raise StorageUnavailable(refusal(str(fault), type(fault).__name__)) from fault


@contextmanager
def _translated_writes() -> Iterator[None]:
    """Like `_translated`, where nothing can be missing but the bucket."""
    try:
        with _translated():
            yield
    except ObjectNotFound as fault:
        raise StorageUnavailable(NO_BUCKET) from fault


class S3Storage(Storage):
    """Objects below a prefix of one bucket."""

    def __init__(self, bucket: str, prefix: str, options: S3Settings) -> None:
        if options.kms_key is not None and options.encryption != "aws:kms":
            raise Misconfigured("MEMFERRY_S3_SSE_KMS_KEY_ID: goes with MEMFERRY_S3_SSE=aws:kms")
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            config=_config(options),
            client_options=_client(options),
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

        An upload is aborted when its source raises. A cancelled caller stops the source and waits
        for that: obstore would leave the upload unfinished.
        """
        await self._refuse_existing(key)
        source = Stoppable(chunks)
        write = self._upload_parts if self._uploads.usable else self._upload
        upload = asyncio.ensure_future(write(key, source, media_type, filename))
        try:
            await asyncio.shield(upload)
            if await self._read_back(key) != sha256():
                await self.delete(key)
                raise WrongBytes
        except asyncio.CancelledError:
            source.stop()
            await see_through(self._withdraw(upload, key))
            raise

    async def _withdraw(self, upload: "asyncio.Future[None]", key: str) -> None:
        """Wait for the end of an upload, and remove the object if there is one."""
        await asyncio.wait([upload])
        if upload.exception() is None:
            await self.delete(key)

    async def _read_back(self, key: str) -> bytes:
        """The digest of what is there; raises WrongBytes if that is nothing."""
        digest = hashlib.sha256()
        try:
            async for chunk in self.read(key, 0, (await self.stat(key)).size_bytes):
                await asyncio.to_thread(digest.update, chunk)
        except ObjectNotFound as fault:
            raise WrongBytes from fault
        return digest.digest()

    async def _upload_parts(
        self, key: str, source: "Stoppable", media_type: str, filename: str
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

    async def _upload(self, key: str, source: "Stoppable", media_type: str, filename: str) -> None:
        try:
            with _translated_writes():
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
            # What the source raised reaches us wrapped by obstore, if at all.
            if source.fault is not None:
                raise source.fault from None
            raise

    async def _refuse_existing(self, key: str) -> None:
        # obstore has put-if-absent only for uploads in one piece, held in memory.
        try:
            await self.stat(key)
        except ObjectNotFound:
            return
        raise FileExistsError(key)

    async def stat(self, key: str) -> ObjectInfo:
        """Size and time of one object."""
        with _translated():
            async with asyncio.timeout(_ANSWER_SECONDS):
                return _info(await obstore.head_async(self._store, key))

    # A piece, the next one that is on its way, and what is handed out of the first.
    read_bytes = 2 * _PART_BYTES + CHUNK_BYTES

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """A range of an object, piece by piece, with the next one on its way.

        Each piece is a request of its own, so that none lasts for as long as a slow reader does.
        """
        if start >= end:
            await self.stat(key)
            return
        coming = asyncio.ensure_future(self._piece(key, start, end))
        try:
            for at in range(start, end, _PART_BYTES):
                piece = await coming
                if at + _PART_BYTES < end:
                    coming = asyncio.ensure_future(self._piece(key, at + _PART_BYTES, end))
                for cut in range(0, len(piece), CHUNK_BYTES):
                    yield piece[cut : cut + CHUNK_BYTES]
        finally:
            coming.cancel()
            with suppress(asyncio.CancelledError, MemferryError):
                await coming

    async def _piece(self, key: str, start: int, end: int) -> bytes:
        stop, received = min(start + _PART_BYTES, end), bytearray()
        with _translated():
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await obstore.get_async(self._store, key, options={"range": (start, stop)})
            coming = aiter(answer.stream(min_chunk_size=_LEAST_CHUNK_BYTES))
            while len(received) < stop - start:
                async with asyncio.timeout(_STALL_SECONDS):
                    received += await anext(coming, b"") or _fail_short()
        return bytes(received)

    async def sign(self, key: str, *, lifetime: timedelta) -> str | None:
        """A presigned GET (Signature Version 4)."""
        with _translated():
            return await obstore.sign_async(self._store, "GET", key, lifetime)

    async def delete(self, key: str) -> None:
        """Remove an object."""
        try:
            with _translated():
                async with asyncio.timeout(_STALL_SECONDS):
                    await obstore.delete_async(self._store, key)
        except ObjectNotFound:
            return

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Every object below the prefix; obstore matches whole path segments only."""
        directory = prefix.rpartition("/")[0]
        with _translated_writes():
            async for page in _within_time(obstore.list(self._store, directory or None)):
                for meta in page:
                    if meta["path"].startswith(prefix):
                        yield _info(meta)

    async def unfinished(self, prefix: str) -> AsyncIterator[Upload]:
        """Every multipart upload in progress below the prefix."""
        async for upload in self._uploads.all(prefix):
            yield upload

    async def abort(self, upload: Upload) -> None:
        """Abort a multipart upload."""
        await self._uploads.abort(upload)

    async def close(self) -> None:
        """Let go of connections."""
        await self._uploads.close()

    async def ping(self) -> None:
        """Look at the bucket."""
        with _translated_writes():
            async with asyncio.timeout(_ANSWER_SECONDS):
                async for _ in obstore.list(self._store, chunk_size=1):
                    return


def _fail_short() -> bytes:
    raise StorageUnavailable("the object store sent fewer bytes than the object has")


async def _within_time(pages: AsyncIterable[Any]) -> AsyncIterator[Any]:
    """The pages of a list, each waited for no longer than for an answer."""
    coming = aiter(pages)
    while True:
        try:
            async with asyncio.timeout(_STALL_SECONDS):
                page = await anext(coming)
        except StopAsyncIteration:
            return
        yield page


def _config(options: S3Settings) -> Any:
    given = {
        "endpoint": options.endpoint,
        "region": options.region,
        "access_key_id": options.access_key,
        "secret_access_key": options.secret_key,
        "session_token": options.session_token,
        "server_side_encryption": options.encryption,
        "sse_kms_key_id": options.kms_key,
        # Servers other than AWS are reached by path: their names have no wildcard certificate.
        "virtual_hosted_style_request": None if options.endpoint is None else False,
    }
    return {name: value for name, value in given.items() if value is not None}


def _client(options: S3Settings) -> Any:
    given = {
        "allow_http": True,
        "connect_timeout": _CONNECT_TIMEOUT,
        "timeout": _REQUEST_TIMEOUT,
        "root_certificate": read_authorities(options),
    }
    return {name: value for name, value in given.items() if value is not None}


def _info(meta: Any) -> ObjectInfo:
    return ObjectInfo(meta["path"], meta["size"], meta["last_modified"])
