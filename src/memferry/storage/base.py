"""What an object store promises, whichever it is."""

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
    """A write that was begun and is not finished; its writer may be dead."""

    key: str
    id: str


class Storage(ABC):
    """Whole objects under slash-separated keys.

    Every method raises StorageUnavailable when the store cannot be reached or cannot do its work,
    and ObjectNotFound where there is no object; no message holds credentials or links.
    """

    read_bytes: ClassVar[int] = 2 * CHUNK_BYTES
    """How much of an object lies in memory while it is read, at most."""

    @property
    def directory(self) -> Path | None:
        """The directory of this machine that holds the objects; None if another program does."""
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
        """Write one object from a stream, in bounded memory, and read back what is there.

        `sha256` is asked for the digest of all chunks once they have come. The object appears whole
        or not at all. If the stream raises, or the caller is cancelled, nothing is left behind and
        the fault goes on. Raises WrongBytes if other bytes are there than came, and FileExistsError
        rather than overwrite a key.
        """

    @abstractmethod
    async def stat(self, key: str) -> ObjectInfo:
        """Size and time of one object; raises ObjectNotFound."""

    @abstractmethod
    def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`, in chunks of at most 1 MiB."""

    @abstractmethod
    async def sign(self, key: str, *, lifetime: timedelta) -> str | None:
        """An address that serves this one object for a while; None where the store cannot sign."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Remove an object; removing what is not there is fine."""

    @abstractmethod
    def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Every whole object whose key starts with the prefix, however many there are."""

    @abstractmethod
    def unfinished(self, prefix: str) -> AsyncIterator[Upload]:
        """Every write in progress whose key starts with the prefix, be its writer alive or dead."""

    @abstractmethod
    async def abort(self, upload: Upload) -> None:
        """Remove what was written so far; a writer that is alive fails. Twice is fine."""

    async def prune(self, prefix: str) -> None:  # noqa: B027 - most stores have no directories
        """Remove what is left of a prefix that holds no object; what holds one stays."""

    @abstractmethod
    async def ping(self) -> None:
        """Return if the store can be used; raises StorageUnavailable. Only looks."""

    async def prepare(self) -> None:  # noqa: B027 - most stores need nothing
        """Make what the store needs before its first use; raises StorageUnavailable."""

    async def close(self) -> None:  # noqa: B027 - most stores hold nothing open
        """Let go of connections."""


async def read_whole(storage: Storage, key: str, *, most_bytes: int) -> bytes:
    """A small object, or its beginning if it is larger than expected; raises ObjectNotFound."""
    size = (await storage.stat(key)).size_bytes
    return b"".join([chunk async for chunk in storage.read(key, 0, min(size, most_bytes))])
