"""A disk that is full: real file systems of a few MiB, filled up to the block that shall fail."""

import asyncio
import hashlib
import os
import random
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from memferry.database.embedded import EmbeddedPostgres
from memferry.errors import StorageUnavailable
from memferry.settings import StorageSettings
from memferry.storage import Storage, open_storage
from support.people import make_person
from support.service import start_service, stop_service

pytestmark = pytest.mark.faults

KIB = 1024
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
DISK_BYTES = 4 * KIB * KIB
FILE_BYTES = 2 * KIB * KIB
CHUNK_BYTES = 96 * KIB
_PATTERN = random.Random("a disk's").randbytes(FILE_BYTES)


@dataclass(frozen=True)
class Disk:
    """A small file system, and the object store on it."""

    root: Path

    @property
    def objects(self) -> Path:
        return self.root / "objects"

    @property
    def storage(self) -> Storage:
        return open_storage(StorageSettings(url=self.objects.as_uri()))

    def files(self) -> list[str]:
        """Every file of the store, whole or partial."""
        return [str(path) for path in self.objects.glob("*/**/*") if not path.is_dir()]

    def free_bytes(self) -> int:
        """The room that is left for files."""
        state = os.statvfs(self.root)
        return state.f_bavail * state.f_frsize

    @contextmanager
    def filled(self, free_bytes: int) -> Iterator[None]:
        """Have that much room left, to the page."""
        ballast = self.root / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, self.free_bytes() - free_bytes)
        assert self.free_bytes() == free_bytes
        yield
        ballast.unlink()

    @contextmanager
    def crowded(self, free_names: int) -> Iterator[None]:
        """Have room for that many more files and links."""
        crowd = self.root / "crowd"
        crowd.mkdir()
        for number in range(os.statvfs(self.root).f_ffree - free_names):
            (crowd / str(number)).touch()
        assert os.statvfs(self.root).f_ffree == free_names
        yield
        for path in crowd.iterdir():
            path.unlink()
        crowd.rmdir()


@contextmanager
def small_disk(options: str) -> Iterator[Disk]:
    """A tmpfs in a mount namespace of its own, which ends with the process that holds it.

    Others reach it through /proc. Without root's rights the namespace belongs to a user namespace
    in which we have them; skips where the system allows neither.
    """
    alone = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--mount"]
    script = f"mount -t tmpfs -o {options},mode=0711 tmpfs /mnt && echo mounted && exec cat"
    command = ["unshare", *alone, "sh", "-c", script]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != b"mounted\n":
            pytest.skip(f"no file system of our own: {holder.stderr.read().decode().strip()}")
        yield Disk(Path("/proc", str(holder.pid), "root", "mnt"))
        holder.terminate()


@pytest.fixture
def disk() -> Iterator[Disk]:
    with small_disk(f"size={DISK_BYTES}") as made:
        made.objects.mkdir()
        yield made


async def pattern() -> AsyncIterator[bytes]:
    for start in range(0, FILE_BYTES, CHUNK_BYTES):
        yield _PATTERN[start : start + CHUNK_BYTES]


async def put(disk: Disk, key: str) -> None:
    await disk.storage.put(
        key,
        pattern(),
        sha256=hashlib.sha256(_PATTERN).digest,
        media_type="text/plain",
        filename="file.txt",
    )


async def stored(disk: Disk, key: str) -> bytes:
    return b"".join([each async for each in disk.storage.read(key, 0, FILE_BYTES)])


async def test_a_disk_that_is_full_at_any_block_leaves_nothing(
    disk: Disk, seed: int, *, full: bool
) -> None:
    pages = FILE_BYTES // PAGE_BYTES
    chosen = random.Random(seed).sample(range(pages), min(500, pages) if full else 20)
    for free_pages in {0, 1, pages - 1, *chosen}:
        with disk.filled(free_pages * PAGE_BYTES):
            with pytest.raises(StorageUnavailable, match="No space left on device"):
                await put(disk, f"t/x/{free_pages}")
            left, listed = disk.files(), [each async for each in disk.storage.list_uploads("")]
        await put(disk, f"t/x/{free_pages}")
        found = await stored(disk, f"t/x/{free_pages}")
        await disk.storage.delete(f"t/x/{free_pages}")

        assert (left, listed, disk.files()) == ([], [], []), free_pages
        assert found == _PATTERN, free_pages


async def test_a_disk_with_just_room_enough_takes_the_file(disk: Disk) -> None:
    with disk.filled(FILE_BYTES):
        await put(disk, "t/x/1")

    assert await stored(disk, "t/x/1") == _PATTERN
    assert disk.files() == [str(disk.objects / "t/x/1")]


async def test_a_full_disk_still_reads_and_deletes(disk: Disk) -> None:
    await put(disk, "t/x/1")
    with disk.filled(0):
        found = await stored(disk, "t/x/1")
        await disk.storage.delete("t/x/1")

    assert found == _PATTERN
    assert disk.files() == []


async def test_a_disk_without_room_for_another_name_leaves_nothing() -> None:
    outcomes = []
    # The two directories below the store's, the partial file, and its second name.
    for free_names in range(5):
        with small_disk("size=4m,nr_inodes=64") as disk:
            disk.objects.mkdir()
            with disk.crowded(free_names):
                try:
                    await put(disk, "t/x/1")
                    outcomes.append("stored")
                except StorageUnavailable:
                    outcomes.append("away")
                left = disk.files()
            await put(disk, "t/x/2")

            assert len(left) == outcomes.count("stored"), left
            assert len(disk.files()) == 1 + len(left)

    assert outcomes == ["away"] * 4 + ["stored"]


async def test_parallel_exports_on_a_small_disk_leave_only_complete_files(
    disk: Disk,
) -> None:
    outcomes = await asyncio.gather(
        *(put(disk, f"t/{number}/1") for number in range(4)), return_exceptions=True
    )
    whole = [i for i, each in enumerate(outcomes) if each is None]
    for number in whole:
        assert (disk.objects / f"t/{number}/1").read_bytes() == _PATTERN

    assert len(whole) < 4
    assert all(each is None or isinstance(each, StorageUnavailable) for each in outcomes)
    assert sorted(disk.files()) == [str(disk.objects / f"t/{number}/1") for number in whole]
    assert disk.free_bytes() == DISK_BYTES - len(whole) * FILE_BYTES


@pytest.fixture
def place(home: Path) -> Path:
    """A data directory of its own: workers that share a database must share the store as well."""
    path = home / "faults-disk"
    path.mkdir(mode=0o711)
    return path


def test_an_export_onto_a_full_disk_fails_with_the_reason_and_the_next_completes(
    disk: Disk, place: Path, request: pytest.FixtureRequest
) -> None:
    service = start_service(
        place,
        MEMFERRY_POSTGRES_BIN=str(request.config.getoption("--postgres-bin") or ""),
        MEMFERRY_STORAGE_URL=disk.objects.as_uri(),
        MEMFERRY_RETRY_SECONDS="1",
        MEMFERRY_EXPORT_ATTEMPTS="2",
    )
    with make_person("alice", service, EmbeddedPostgres(place / "postgres").url()) as alice:
        alice.save_many([{"content": f"memory {i}"} for i in range(10_001)])
        with disk.filled(512 * KIB):
            failed = alice.wait_for(alice.export(format="ndjson"))
            left = disk.files()
        done = alice.wait_for(alice.export(format="ndjson"))
        data = alice.get(done["download_url"]).content
    stopped = stop_service(service)

    assert (failed["status"], failed["error_code"]) == ("failed", "storage_unavailable")
    assert (failed["retryable"], left) == (True, [])
    assert failed["error"].endswith("cannot be used: No space left on device")
    assert service.log.read_text().count(f"export {failed['id']}: attempt") == 2
    assert hashlib.sha256(data).hexdigest() == done["sha256"]
    # Beside it lie its manifest and its digest.
    files = [Path(each) for each in disk.files()]
    assert [path.read_bytes() for path in files if not path.suffix] == [data]
    assert stopped == 0
