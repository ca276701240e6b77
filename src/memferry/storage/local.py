"""A directory as object store: every write is durable before anybody can see it."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar

from memferry.errors import ObjectNotFound, StorageUnavailable
from memferry.storage.base import CHUNK_BYTES, ObjectInfo, Storage

_PARTIAL = ".partial"
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the system's faults into ours: disk full, no permission, no such directory."""
    try:
        yield
    except FileExistsError:
        raise
    except FileNotFoundError as fault:
        raise ObjectNotFound from fault
    except OSError as fault:
        raise StorageUnavailable(f"the object store is away: {fault.strerror}") from fault


class LocalStorage(Storage):
    """Objects as files of mode 0600 below a directory of mode 0700.

    A file is written under a temporary name, flushed to the disk, linked to its own name, and the
    directory flushed too: after a crash it is there whole or not at all.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(
        self, key: str, chunks: AsyncIterable[bytes], *, media_type: str, filename: str
    ) -> None:
        """Write one object; the media type and name are given out with the download instead."""
        del media_type, filename
        target = self._path(key)
        partial = target.with_name(f".{target.name}.{secrets.token_hex(8)}{_PARTIAL}")
        with _translated_writes():
            await _to_its_end(_make_directories, target.parent, self._root)
            # Not in a thread: a cancelled caller would never learn which file to close.
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                async for chunk in chunks:
                    await _to_its_end(_write_all, descriptor, chunk)
                await _to_its_end(_publish, descriptor, partial, target)
            except BaseException:
                _withdraw(descriptor, target)
                raise
            finally:
                os.close(descriptor)
                with suppress(OSError):
                    partial.unlink()

    async def stat(self, key: str) -> ObjectInfo:
        """Size and time of one object."""
        with _translated():
            found = await asyncio.to_thread(os.stat, self._path(key))
        return ObjectInfo(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """A range of an object. One that is deleted meanwhile is still read to its end."""
        with _translated():
            descriptor = os.open(self._path(key), os.O_RDONLY)
            try:
                while start < end:
                    size = min(CHUNK_BYTES, end - start)
                    chunk = await _to_its_end(os.pread, descriptor, size, start)
                    if not chunk:
                        raise StorageUnavailable("an object is shorter than it should be")
                    start += len(chunk)
                    yield chunk
            finally:
                os.close(descriptor)

    async def sign(self, key: str, *, lifetime: timedelta) -> str | None:
        """None: a directory cannot serve links."""
        del key, lifetime
        return None

    async def delete(self, key: str) -> None:
        """Remove an object."""
        with suppress(ObjectNotFound), _translated():
            await asyncio.to_thread(os.unlink, self._path(key))

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Every whole object below the prefix; files still being written do not show."""
        with _translated():
            names = await asyncio.to_thread(lambda: sorted(self._names()))
        for name in names:
            if name.startswith(prefix):
                with suppress(ObjectNotFound):
                    yield await self.stat(name)

    async def ping(self) -> None:
        """Make the directory if it is missing, and see whether files can be made in it."""
        with _translated_writes():
            await asyncio.to_thread(_make_directories, self._root, self._root)
            if not os.access(self._root, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied")

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if any(part in {"", ".", ".."} or "\x00" in part for part in parts):
            raise ValueError(f"not a key: {key!r}")
        return self._root.joinpath(*parts)

    def _names(self) -> Iterator[str]:
        for directory, _, files in os.walk(self._root):
            for name in files:
                if not name.endswith(_PARTIAL):
                    yield Path(directory, name).relative_to(self._root).as_posix()


@contextmanager
def _translated_writes() -> Iterator[None]:
    """Like `_translated`; a missing directory means that the store is away."""
    try:
        with _translated():
            yield
    except ObjectNotFound as fault:
        raise StorageUnavailable from fault


async def _to_its_end(
    work: Callable[_Parameters, _Result], *args: _Parameters.args, **kwargs: _Parameters.kwargs
) -> _Result:
    """Run it in a thread. A thread cannot be stopped: a cancelled caller waits for it."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # looked at, or asyncio complains
        raise


def _make_directories(path: Path, root: Path) -> None:
    """Make missing directories, each flushed into the one that holds it."""
    if path.is_dir():
        return
    if path != root:
        _make_directories(path.parent, root)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700, parents=path == root)
    _flush_directory(path.parent)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _publish(descriptor: int, partial: Path, target: Path) -> None:
    os.fsync(descriptor)
    # A link, unlike a rename, never replaces what is there.
    os.link(partial, target)
    partial.unlink()
    _flush_directory(target.parent)


def _withdraw(descriptor: int, target: Path) -> None:
    """Undo `_publish`, if it came as far as the link; somebody else's file stays."""
    with suppress(OSError):
        if os.path.samestat(os.fstat(descriptor), target.stat()):
            target.unlink()


def _flush_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
