"""A directory as object store: an object is durable before it is visible."""

import asyncio
import errno
import itertools
import os
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from memferry.cancellation import run_in_thread
from memferry.errors import ObjectNotFound, StorageUnavailable, WrongBytes
from memferry.storage.base import CHUNK_BYTES, ObjectInfo, Storage, Upload
from memferry.storage.disk_flush import DiskFlush

_PARTIAL = ".partial"
_TRIES = 10


@contextmanager
def _translate_faults() -> Iterator[None]:
    """Raise faults of the file system as ours: disk full, no permission, no such directory."""
    try:
        yield
    except FileExistsError:
        raise
    except FileNotFoundError as fault:
        raise ObjectNotFound from fault
    except OSError as fault:
        raise StorageUnavailable(_describe_fault(fault)) from fault


def _describe_fault(fault: OSError, name: str = "") -> str:
    directory = f"directory{name} (MEMFERRY_STORAGE_URL)"
    return f"the object store's {directory} cannot be used: {fault.strerror}"


class LocalStorage(Storage):
    """Objects as files of mode 0600 below a directory of mode 0700.

    A file is written under a temporary name, flushed to the disk and linked to its own name; then
    the directory is flushed. After a crash the file is there whole or not at all.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def directory(self) -> Path | None:
        """The directory that holds the files."""
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
        """Write one object; its media type and file name belong to the download, not to the file.

        Each chunk is read back and compared right after it is written, while the source prepares
        the next one. That proves as much as comparing `sha256` at the end.
        """
        del sha256, media_type, filename
        target = self._path(key)
        partial = target.with_name(f".{target.name}.{secrets.token_hex(8)}{_PARTIAL}")
        with _translate_write_faults():
            descriptor = await self._create(partial)
            size, flush = 0, DiskFlush(descriptor)
            try:
                async for chunk in chunks:
                    await run_in_thread(_write, descriptor, chunk, size)
                    size += len(chunk)
                    flush.flush_written(size)
                await flush.finish()
                await run_in_thread(_publish, descriptor, partial, target)
            except BaseException:
                _unpublish(descriptor, target)
                raise
            finally:
                await flush.abandon()
                os.close(descriptor)
                with suppress(OSError):
                    partial.unlink()
                self._remove_empty(target.parent)

    async def stat(self, key: str) -> ObjectInfo:
        """Size and time of change of one object."""
        with _translate_faults():
            status = await asyncio.to_thread(os.stat, self._path(key))
        return ObjectInfo(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield a range of an object; a deletion meanwhile does not end it."""
        with _translate_faults():
            descriptor = os.open(self._path(key), os.O_RDONLY)
            try:
                while start < end:
                    size = min(CHUNK_BYTES, end - start)
                    chunk = await run_in_thread(os.pread, descriptor, size, start)
                    if not chunk:
                        raise StorageUnavailable("an object is shorter than its size")
                    start += len(chunk)
                    yield chunk
            finally:
                os.close(descriptor)

    async def sign(self, key: str, *, lifetime: timedelta) -> str | None:
        """Answer None: a directory cannot serve links."""
        del key, lifetime
        return None

    async def delete(self, key: str) -> None:
        """Remove an object, and the directories that become empty."""
        with suppress(ObjectNotFound), _translate_faults():
            await asyncio.to_thread(self._remove, self._path(key))

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Yield every whole object below the prefix; unfinished files are left out."""
        for name in await self._find_names(prefix):
            if not name.endswith(_PARTIAL):
                with suppress(ObjectNotFound):
                    yield await self.stat(name)

    async def list_uploads(self, prefix: str) -> AsyncIterator[Upload]:
        """Yield every temporary file below the prefix."""
        for name in await self._find_names(prefix):
            directory, slash, file = name.rpartition("/")
            if file.endswith(_PARTIAL) and file.startswith("."):
                key = file[1:].removesuffix(_PARTIAL).rpartition(".")[0]
                yield Upload(f"{directory}{slash}{key}", name)

    async def abort(self, upload: Upload) -> None:
        """Remove a temporary file, so that its writer has nothing left to publish."""
        await self.delete(upload.id)

    async def prune(self, prefix: str) -> None:
        """Remove empty directories below a prefix: killed writers leave some."""
        await asyncio.to_thread(self._prune, self._path(prefix.rstrip("/")))

    async def ping(self) -> None:
        """Check that files can be created in the directory."""
        with self._name_directory():
            await asyncio.to_thread(self._check_root)

    async def prepare(self) -> None:
        """Create the directory.

        Nothing else creates it: where a mount is lost, a write must fail and not land beside it.
        """
        with self._name_directory():
            await asyncio.to_thread(_make_root, self._root)

    @contextmanager
    def _name_directory(self) -> Iterator[None]:
        """Name the directory in a fault; for calls of operators, whose faults no client sees."""
        try:
            yield
        except OSError as fault:
            raise StorageUnavailable(_describe_fault(fault, f" {self._root}")) from fault

    def _check_root(self) -> None:
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
        """Open a new file; tries again where a deletion removes the empty directory first."""
        await run_in_thread(self._check_root)
        for _ in range(_TRIES):
            with suppress(FileNotFoundError):
                await run_in_thread(_make_directories, partial.parent, self._root)
                # Not in a thread: a cancelled caller would never learn which file to close.
                return os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        raise FileNotFoundError(partial)

    async def _find_names(self, prefix: str) -> Sequence[str]:
        with _translate_write_faults():
            return await asyncio.to_thread(self._list_names, prefix)

    def _list_names(self, prefix: str) -> Sequence[str]:
        # A directory that is missing has no names, and no fault either.
        self._check_root()
        return sorted(self._walk_names(prefix))

    def _walk_names(self, prefix: str) -> Iterator[str]:
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
        """Remove a directory and those above it, up to the first that is not empty.

        Files are never removed, and a writer creates its directory again (`_create`).
        """
        with suppress(OSError):  # not empty
            for directory in itertools.takewhile(self._root.__ne__, (path, *path.parents)):
                with suppress(FileNotFoundError):
                    directory.rmdir()


@contextmanager
def _translate_write_faults() -> Iterator[None]:
    """Raise faults as `_translate_faults`, and a missing directory as StorageUnavailable."""
    try:
        with _translate_faults():
            yield
    except ObjectNotFound as missing:
        fault = missing.__cause__
        text = _describe_fault(fault) if isinstance(fault, OSError) else None
        raise StorageUnavailable(text) from fault


def _make_root(root: Path) -> None:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    _flush_directory(root.parent)


def _make_directories(path: Path, root: Path) -> None:
    """Create missing directories below the root, and flush the directory that holds each."""
    if path == root or path.is_dir():
        return
    _make_directories(path.parent, root)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    _flush_directory(path.parent)


def _write(descriptor: int, data: bytes, start: int) -> None:
    """Append `data`; raises WrongBytes unless the file holds exactly `data` from `start` on."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    if os.pread(descriptor, len(data) + 1, start) != data:
        raise WrongBytes


def _publish(descriptor: int, partial: Path, target: Path) -> None:
    os.fsync(descriptor)
    # A link, unlike a rename, never replaces a file.
    os.link(partial, target)
    partial.unlink()
    _flush_directory(target.parent)


def _unpublish(descriptor: int, target: Path) -> None:
    """Remove the link that `_publish` made, if it did; a file of another writer stays."""
    with suppress(OSError):
        if os.path.samestat(os.fstat(descriptor), target.stat()):
            target.unlink()


def _flush_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
