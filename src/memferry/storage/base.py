"""The promise that every object store keeps."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class ObjectInfo:
    """One stored object."""

    key: str
    size_bytes: int
    modified: datetime


@dataclass(frozen=True)
class Upload:
    """An unfinished write of one object; its writer may be dead."""

    key: str
    id: str


class Storage(ABC):
    """Whole objects under slash-separated keys.

    Every method raises StorageUnavailable when the store cannot be reached or cannot do its work,
    and ObjectNotFound where there is no object. No message holds credentials or links.
    """

    read_bytes: ClassVar[int] = 2 * CHUNK_BYTES
    """The most bytes of an object that lie in memory while it is read."""
    write_bytes: ClassVar[int] = 2 * CHUNK_BYTES
    """The same while it is written, for an object of a few GB."""

    @property
    def directory(self) -> Path | None:
        """The directory of this machine that holds the objects; None if they lie elsewhere."""
        return None

    @abstractmethod
    async def put(
        self,
        key: str,
        chunks: AsyncIterable[bytes],
        *,
        sha256: Callable[[], bytes],
        media_type: str,
        filename: str,
    ) -> None:
        """Write one object from a stream, in bounded memory, and verify it by reading it back.

        `sha256` is called after the last chunk and answers the digest of all chunks. The object
        appears whole or not at all. If the stream raises, or the caller is cancelled, nothing is
        left behind and the exception goes on. Raises WrongBytes if the store holds other bytes than
        the stream gave, and FileExistsError if the key is taken: no object is overwritten.
        """

    @abstractmethod
    async def stat(self, key: str) -> ObjectInfo:
        """Size and time of change of one object; raises ObjectNotFound."""

    @abstractmethod
    def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to, not including, `end`, in chunks of at most 1 MiB."""

    @abstractmethod
    async def sign(self, key: str, *, lifetime: timedelta) -> str | None:
        """Make a link to one object, valid for `lifetime`; None where the store cannot sign."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Remove an object; does nothing if there is none."""

    @abstractmethod
    def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Yield every whole object whose key starts with the prefix."""

    @abstractmethod
    def list_uploads(self, prefix: str) -> AsyncIterator[Upload]:
        """Yield every unfinished upload whose key starts with the prefix, of any writer."""

    @abstractmethod
    async def abort(self, upload: Upload) -> None:
        """Remove the bytes of an unfinished upload, and make its writer fail if it is alive.

        Does nothing if the upload is gone.
        """

    async def prune(self, prefix: str) -> None:  # noqa: B027 - most stores have no directories
        """Remove empty directories below a prefix."""

    @abstractmethod
    async def ping(self) -> None:
        """Check that the store can be used, and change nothing; raises StorageUnavailable."""

    async def prepare(self) -> None:  # noqa: B027 - most stores need nothing
        """Create what the store needs before its first use; raises StorageUnavailable."""

    async def close(self) -> None:  # noqa: B027 - most stores hold nothing open
        """Close all connections."""


async def remove_prefix(storage: Storage, prefix: str) -> int:
    """Remove all unfinished uploads and objects below a prefix; answers their number.

    Uploads first: one that completes meanwhile is then found among the objects.
    """
    count = 0
    async for upload in storage.list_uploads(prefix):
        await storage.abort(upload)
        count += 1
    async for info in storage.list(prefix):
        await storage.delete(info.key)
        count += 1
    return count


async def remove_with_companions(storage: Storage, key: str) -> None:
    """Remove an object and those that are named after it, with a dot behind its key."""
    await storage.delete(key)
    async for info in storage.list(f"{key}."):
        await storage.delete(info.key)


async def replace_bytes(
    storage: Storage, key: str, data: bytes, *, media_type: str, filename: str
) -> None:
    """Write a small object as `Storage.put`; one that only this caller can have written goes."""

    async def source() -> AsyncIterator[bytes]:
        yield data

    async def put() -> None:
        digest = hashlib.sha256(data).digest()
        await storage.put(
            key, source(), sha256=lambda: digest, media_type=media_type, filename=filename
        )

    try:
        await put()
    except FileExistsError:
        await storage.delete(key)
        await put()


async def read_whole(storage: Storage, key: str, *, most_bytes: int) -> bytes:
    """Read an object, or its first `most_bytes` bytes; raises ObjectNotFound."""
    size = (await storage.stat(key)).size_bytes
    return b"".join([chunk async for chunk in storage.read(key, 0, min(size, most_bytes))])
