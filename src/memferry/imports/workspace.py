"""A directory of one import on the worker's disk: its file, and what is unpacked of it."""

import asyncio
import fcntl
import os
import shutil
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from memferry.errors import NoRoomForImport
from memferry.storage import Storage

_PREFIX = "memferry-import-"
_LOCK = "lock"
_FILE = "file"
_CHUNK_BYTES = 1024 * 1024


@asynccontextmanager
async def open_workspace(parent: Path | None) -> AsyncIterator[Path]:
    """Make a private directory, and remove it at the end; None: where temporary files go.

    Removes what killed workers have left there: the lock of a directory ends with its process.
    Raises NoRoomForImport for every fault of the disk.
    """
    with _translate_faults():
        place = Path(tempfile.gettempdir()) if parent is None else parent
        await asyncio.to_thread(_remove_abandoned, place)
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield directory
        finally:
            await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
            os.close(lock)


async def fetch_upload(storage: Storage, key: str, directory: Path) -> Path:
    """Copy an object into the directory; raises ObjectNotFound and StorageUnavailable."""
    path = directory / _FILE
    size = (await storage.stat(key)).size_bytes
    with path.open("xb", buffering=0) as file:
        async for chunk in storage.read(key, 0, size):
            await asyncio.to_thread(file.write, chunk)
    return path


def unwrap(path: Path) -> list[tuple[str, Path]]:
    """Take the files of a form out of the archive that we have made of them, with their names."""
    files = []
    with zipfile.ZipFile(path) as archive:
        for number, member in enumerate(archive.infolist()):
            inner = path.with_name(f"{_FILE}-{number}")
            with archive.open(member) as source, inner.open("xb") as target:
                shutil.copyfileobj(source, target, _CHUNK_BYTES)
            files.append((member.filename, inner))
    path.unlink()
    return files


def _remove_abandoned(place: Path) -> None:
    for directory in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory)
            finally:
                os.close(lock)


@contextmanager
def _translate_faults() -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise NoRoomForImport(
            f"The worker's disk cannot take the file: {fault.strerror}."
        ) from fault
