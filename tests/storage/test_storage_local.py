"""A directory as object store: what only files can do."""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from memferry.errors import StorageUnavailable, WrongBytes
from memferry.settings import StorageSettings
from memferry.storage import open_storage
from support.stores import MIB, Store, make_chunks, put


async def test_files_are_private(tmp_path: Path) -> None:
    store = Store(open_storage(StorageSettings(url=(tmp_path / "new").as_uri())))
    await store.storage.prepare()
    await put(store, "a/b/c", make_chunks(1))

    assert (tmp_path / "new/a/b/c").stat().st_mode & 0o777 == 0o600
    for directory in ("new", "new/a", "new/a/b"):
        assert (tmp_path / directory).stat().st_mode & 0o777 == 0o700


async def test_reading_an_absent_store_creates_nothing_and_names_its_directory(
    tmp_path: Path,
) -> None:
    root = tmp_path / "far" / "objects"
    storage = open_storage(StorageSettings(url=root.as_uri()))

    with pytest.raises(StorageUnavailable, match=rf"{root} .*: it does not exist"):
        await storage.ping()
    assert list(tmp_path.iterdir()) == []


async def test_a_prepared_store_can_be_used_and_prepared_again(tmp_path: Path) -> None:
    storage = open_storage(StorageSettings(url=(tmp_path / "far" / "objects").as_uri()))
    await storage.prepare()
    await storage.prepare()
    await storage.ping()

    assert (tmp_path / "far" / "objects").is_dir()


async def test_an_error_for_a_tenant_does_not_name_the_directory_of_the_store(
    tmp_path: Path,
) -> None:
    store = Store(open_storage(StorageSettings(url=(tmp_path / "mount").as_uri())))
    await store.storage.prepare()
    (tmp_path / "mount").rmdir()

    with pytest.raises(StorageUnavailable) as refused:
        await put(store, "t/1", make_chunks(1))
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize("kind", ["file", "link to nothing"])
async def test_a_file_in_the_place_of_the_directory_is_refused_as_a_store(
    tmp_path: Path, kind: str
) -> None:
    root = tmp_path / "root"
    root.touch() if kind == "file" else root.symlink_to(tmp_path / "nothing")
    storage = open_storage(StorageSettings(url=root.as_uri()))

    for look in (storage.prepare, storage.ping):
        with pytest.raises(StorageUnavailable, match=str(root)):
            await look()


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/x", "a//b", "", "a\x00"])
async def test_no_key_leaves_the_directory(tmp_path: Path, key: str) -> None:
    store = Store(open_storage(StorageSettings(url=tmp_path.as_uri())))

    with pytest.raises(ValueError, match="not a key"):
        await put(store, key, make_chunks(1))


async def test_a_file_that_somebody_else_writes_to_is_given_up(tmp_path: Path) -> None:
    store = Store(open_storage(StorageSettings(url=tmp_path.as_uri())), root=tmp_path)

    async def disturbed() -> AsyncIterator[bytes]:
        async for chunk in make_chunks(2 * MIB):
            yield chunk
            (partial,) = tmp_path.rglob("*.partial")
            with partial.open("ab") as file:
                file.write(b"x" * 2 * MIB)

    with pytest.raises(WrongBytes):
        await put(store, "t/1", disturbed())

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_write_onto_a_full_disk_leaves_no_file() -> None:
    """A limit on file sizes stands in for the disk's end: the system refuses the write alike."""
    program = (
        "import asyncio, resource, signal, sys, pathlib\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from memferry.errors import StorageUnavailable\n"
        "from memferry.settings import StorageSettings\n"
        "from memferry.storage import open_storage\n"
        "from support.stores import MIB, Store, list_keys, make_chunks, put\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))\n"
        "store = Store(open_storage(StorageSettings(url=pathlib.Path(sys.argv[1]).as_uri())))\n"
        "try:\n"
        "    asyncio.run(put(store, 't/1', make_chunks(3 * MIB)))\n"
        "except StorageUnavailable as fault:\n"
        "    print(fault, asyncio.run(list_keys(store)))\n"
    )
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(
            [sys.executable, "-c", program, directory, str(Path(__file__).parents[1])],
            check=True,
            capture_output=True,
            text=True,
        )

        assert done.stdout.endswith("cannot be used: File too large []\n")
        assert [path for path in Path(directory).rglob("*") if path.is_file()] == []


def empty_directories(root: Path) -> set[str]:
    found = (path for path in root.rglob("*") if path.is_dir() and not any(path.iterdir()))
    return {path.relative_to(root).as_posix() for path in found}


async def test_a_write_that_fails_leaves_no_directory(tmp_path: Path) -> None:
    store = Store(open_storage(StorageSettings(url=tmp_path.as_uri())), root=tmp_path)

    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise StorageUnavailable

    with pytest.raises(StorageUnavailable):
        await put(store, "t/e/1", broken())

    assert list(tmp_path.iterdir()) == []


async def test_deleting_a_missing_object_removes_its_empty_directories(tmp_path: Path) -> None:
    storage = open_storage(StorageSettings(url=tmp_path.as_uri()))
    (tmp_path / "t/e").mkdir(parents=True)
    (tmp_path / "t/other").mkdir()
    (tmp_path / "t/other/1").touch()
    await storage.delete("t/e/1")
    await storage.delete("t/gone/1")

    assert [path.name for path in (tmp_path / "t").iterdir()] == ["other"]
    await storage.delete("t/other/1")
    assert list(tmp_path.iterdir()) == []


async def test_pruning_removes_empty_directories_below_the_prefix_and_nothing_else(
    tmp_path: Path,
) -> None:
    storage = open_storage(StorageSettings(url=tmp_path.as_uri()))
    for name in ("t/a/b/c", "t/d", "u/e"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "t/d/1").touch()
    await storage.prune("t/")
    await storage.prune("nobody/")

    assert (tmp_path / "t/d/1").exists()
    assert not (tmp_path / "t/a").exists()
    assert empty_directories(tmp_path) == {"u/e"}


async def test_a_writer_keeps_its_directory_while_others_remove_empty_ones(tmp_path: Path) -> None:
    store = Store(open_storage(StorageSettings(url=tmp_path.as_uri())), root=tmp_path)
    pruning = True

    async def prune_meanwhile() -> None:
        while pruning:
            await store.storage.prune("t/")
            await store.storage.delete("t/e/none")
            await asyncio.sleep(0.02)

    beside = asyncio.create_task(prune_meanwhile())
    for number in range(50):
        await put(store, f"t/e/{number}", make_chunks(10))
        await store.storage.delete(f"t/e/{number}")
    await put(store, "t/e/last", make_chunks(10))
    pruning = False
    await beside

    assert [path.name for path in (tmp_path / "t/e").iterdir()] == ["last"]


async def test_a_lost_directory_is_unavailable_and_never_made_again(tmp_path: Path) -> None:
    root = tmp_path / "mount"
    store = Store(open_storage(StorageSettings(url=root.as_uri())), root=root)

    for use in (
        store.storage.ping(),
        put(store, "t/1", make_chunks(1)),
        anext(store.storage.list("")),
        anext(store.storage.list_uploads("")),
    ):
        with pytest.raises(StorageUnavailable, match="does not exist"):
            await use
    assert not root.exists()


async def test_an_unfinished_upload_at_the_top_is_listed_by_its_key(tmp_path: Path) -> None:
    storage = open_storage(StorageSettings(url=tmp_path.as_uri()))
    (tmp_path / ".memferry-store.0123456789abcdef.partial").touch()
    uploads = [upload async for upload in storage.list_uploads("")]

    assert [upload.key for upload in uploads] == ["memferry-store"]
