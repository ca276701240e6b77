"""A directory as object store: every write is durable before anybody can see it."""

import asyncio
import errno
import itertools
import os
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar

from memferry.errors import ObjectNotFound, StorageUnavailable, WrongBytes
from memferry.storage.base import CHUNK_BYTES, ObjectInfo, Storage, Upload
from memferry.storage.disk_flush import DiskFlush

_PARTIAL = ".partial"
_TRIES = 10
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
        raise StorageUnavailable(_reason(fault)) from fault


def _reason(fault: OSError, name: str = "") -> str:
    directory = f"directory{name} (MEMFERRY_STORAGE_URL)"
    return f"the object store's {directory} cannot be used: {fault.strerror}"


class LocalStorage(Storage):
    """Objects as files of mode 0600 below a directory of mode 0700.

    A file is written under a temporary name, flushed to the disk, linked to its own name, and the
    directory flushed too: after a crash it is there whole or not at all.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def directory(self) -> Path | None:
        """Where the files lie."""
        return self._root

    async def put(
        self,
        key: str,
        chunks: AsyncIterable[bytes],
        *,
        sha256: Callable[[], bytes],
        media_type: str,
        filename: str,
    ) -> None:
        """Write one object; the media type and name are given out with the download instead.

        Each piece is read back and compared as soon as it is written, beside the source's work:
        a digest would say no more.
        """
        del sha256, media_type, filename
        target = self._path(key)
        partial = target.with_name(f".{target.name}.{secrets.token_hex(8)}{_PARTIAL}")
        with _translated_writes():
            descriptor = await self._create(partial)
            size, flushing = 0, DiskFlush(descriptor)
            try:
                async for chunk in chunks:
                    await _to_its_end(_write, descriptor, chunk, size)
                    size += len(chunk)
                    flushing.go_on(size)
                await flushing.end()
                await _to_its_end(_publish, descriptor, partial, target)
            except BaseException:
                _withdraw(descriptor, target)
                raise
            finally:
                await flushing.abandon()
                os.close(descriptor)
                with suppress(OSError):
                    partial.unlink()
                self._remove_empty(target.parent)

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
        """Remove an object that is there, and the directories that are empty then."""
        with suppress(ObjectNotFound), _translated():
            await asyncio.to_thread(self._remove, self._path(key))

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Every whole object below the prefix; files still being written do not show."""
        for name in await self._names(prefix):
            if not name.endswith(_PARTIAL):
                with suppress(ObjectNotFound):
                    yield await self.stat(name)

    async def unfinished(self, prefix: str) -> AsyncIterator[Upload]:
        """Every temporary file below the prefix."""
        for name in await self._names(prefix):
            directory, _, file = name.rpartition("/")
            if file.endswith(_PARTIAL) and file.startswith("."):
                key = file[1:].removesuffix(_PARTIAL).rpartition(".")[0]
                yield Upload(f"{directory}/{key}", name)

    async def abort(self, upload: Upload) -> None:
        """Remove a temporary file; its writer, if alive, cannot give it a name any more."""
        await self.delete(upload.id)

    async def prune(self, prefix: str) -> None:
        """Remove the empty directories below a prefix: a writer that was killed leaves some."""
        await asyncio.to_thread(self._prune, self._path(prefix.rstrip("/")))

    async def ping(self) -> None:
        """See whether files can be made in the directory."""
        with self._named():
            await asyncio.to_thread(self._look)

    async def prepare(self) -> None:
        """Make the directory. Later nobody does: a lost mount must not be written beside."""
        with self._named():
            await asyncio.to_thread(_make_root, self._root)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Name the directory in a fault: for the operator, where clients do not see it."""
        try:
            yield
        except OSError as fault:
            raise StorageUnavailable(_reason(fault, f" {self._root}")) from fault

    def _look(self) -> None:
        if not self._root.exists():
            raise FileNotFoundError(errno.ENOENT, "it does not exist")
        if not self._root.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it is not a directory")
        if not os.access(self._root, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "Permission denied")

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if any(part in {"", ".", ".."} or "\x00" in part for part in parts):
            raise ValueError(f"not a key: {key!r}")
        return self._root.joinpath(*parts)

    async def _create(self, partial: Path) -> int:
        """Open a new file; its directory may vanish in between, with what was removed from it."""
        await _to_its_end(self._look)
        for _ in range(_TRIES):
            with suppress(FileNotFoundError):
                await _to_its_end(_make_directories, partial.parent, self._root)
                # Not in a thread: a cancelled caller would never learn which file to close.
                return os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        raise FileNotFoundError(partial)

    async def _names(self, prefix: str) -> Sequence[str]:
        with _translated():
            return await asyncio.to_thread(lambda: sorted(self._walk(prefix)))

    def _walk(self, prefix: str) -> Iterator[str]:
        top = self._root / prefix.rpartition("/")[0]
        for directory, _, files in os.walk(top):
            for file in files:
                name = Path(directory, file).relative_to(self._root).as_posix()
                if name.startswith(prefix):
                    yield name

    def _remove(self, path: Path) -> None:
        try:
            path.unlink()
        finally:
            self._remove_empty(path.parent)

    def _prune(self, top: Path) -> None:
        for directory, _, _ in os.walk(top, topdown=False):
            with suppress(OSError):  # not empty, or gone already
                Path(directory).rmdir()
        self._remove_empty(top.parent)

    def _remove_empty(self, path: Path) -> None:
        """Remove a directory and those above it, up to the first that holds something.

        Nobody's file is lost by that, and a writer makes its directory again (`_create`).
        """
        with suppress(OSError):  # not empty
            for directory in itertools.takewhile(self._root.__ne__, (path, *path.parents)):
                with suppress(FileNotFoundError):
                    directory.rmdir()


@contextmanager
def _translated_writes() -> Iterator[None]:
    """Like `_translated`; a missing directory means that the store is away."""
    try:
        with _translated():
            yield
    except ObjectNotFound as missing:
        fault = missing.__cause__
        raise StorageUnavailable(_reason(fault) if isinstance(fault, OSError) else None) from fault


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


def _make_root(root: Path) -> None:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    _flush_directory(root.parent)


def _make_directories(path: Path, root: Path) -> None:
    """Make missing directories below the root, each flushed into the one that holds it."""
    if path == root or path.is_dir():
        return
    _make_directories(path.parent, root)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    _flush_directory(path.parent)


def _write(descriptor: int, data: bytes, start: int) -> None:
    """Append; raises WrongBytes unless that is what the file holds now from `start` to its end."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    if os.pread(descriptor, len(data) + 1, start) != data:
        raise WrongBytes


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
