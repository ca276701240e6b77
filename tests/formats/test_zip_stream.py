"""Zip archives written from front to back: what other programs read, also beyond 4 GiB."""

import io
import subprocess
import zipfile
from pathlib import Path

import pytest

from memferry.formats.zip_stream import ZipStream, pack_member


def write(members: list[tuple[str, bytes, int]], position: int = 0) -> bytes:
    archive = ZipStream(position)
    packed = [pack_member(*member) for member in members]
    data = b"".join([*map(archive.add, packed), *archive.finish()])
    archive.close()
    return data


def test_members_come_back_with_their_names_and_times() -> None:
    data = write([("é/a.md", b"x" * 5_000, 1_700_000_001_000), ("b", b"", 0), ("c", b"1", 2**60)])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        contents = [archive.read(member) for member in members]

    assert contents == [b"x" * 5_000, b"", b"1"]
    assert [member.filename for member in members] == ["é/a.md", "b", "c"]
    assert [member.date_time[:2] for member in members] == [(2023, 11), (1980, 1), (2107, 12)]
    assert members[0].compress_size < 100
    assert {member.external_attr >> 16 for member in members} == {0o100644}


def test_the_same_members_give_the_same_bytes() -> None:
    members = [("a", b"text " * 100, 1), ("b", b"more", 2)]

    assert write(members) == write(members)


def test_more_members_than_the_old_directory_counts() -> None:
    data = write([(f"{number}", b"%d" % number, 0) for number in range(70_000)])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        last = archive.read("69999")

    assert (len(names), last) == (70_000, b"69999")


@pytest.mark.parametrize("position", [2**32 - 40, 2**32 - 1, 2**32, 5 * 2**30])
def test_members_beyond_4_gib(tmp_path: Path, position: int) -> None:
    target = tmp_path / "sparse.zip"
    with target.open("wb") as file:
        file.seek(position)
        file.write(write([("a", b"first", 0), ("b", b"second", 0)], position))
    with zipfile.ZipFile(target) as archive:
        contents = [archive.read(member) for member in archive.infolist()]
    target.unlink()

    assert contents == [b"first", b"second"]


def test_a_large_directory_comes_in_pieces() -> None:
    archive = ZipStream()
    for number in range(40_000):
        archive.add(pack_member(f"{number:0100}", b"", 0))
    sizes = [len(piece) for piece in archive.finish()]
    archive.close()

    assert len(sizes) > 5
    assert max(sizes) <= 2**20


def test_another_program_finds_nothing_wrong(tmp_path: Path) -> None:
    target = tmp_path / "a.zip"
    target.write_bytes(write([("a.md", b"x" * 100, 0), ("b/c.md", "é".encode(), 1)]))
    command = ["unzip", "-tqq", str(target)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("unzip is not installed (Debian: unzip)")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
