"""Tar archives of any form are read; one that lies is refused, and costs little."""

import gzip
import io
import tarfile
import tracemalloc
from pathlib import Path

import pytest
import zstandard

from memferry.errors import Invalid
from memferry.sources.base import Bundle
from memferry.sources.bundles.limits import BundleLimits
from support.bundles import WORDS, BundleReader, make_tar

MIB = 1024 * 1024


@pytest.fixture
def reader(tmp_path: Path) -> BundleReader:
    return BundleReader(tmp_path)


def change_head(archive: bytes, **fields: bytes) -> bytes:
    """An archive whose first head has other fields, and the checksum of these."""
    head = bytearray(archive[:512])
    for name, value in fields.items():
        start = {"size": 124, "kind": 156}[name]
        head[start : start + len(value)] = value
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + archive[512:]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_tar_of_any_form_is_read_packed_or_not(reader: BundleReader, form: int) -> None:
    files = {"a": WORDS, "x" * 90 + "/" + "y" * 90: b"long", "empty": b"", "b": b"tea" * 171}
    archive = make_tar(files, form)

    for data in (archive, gzip.compress(archive), zstandard.compress(archive)):
        assert reader.read(data) == files


def test_names_of_a_tar_may_be_long_and_of_any_script(reader: BundleReader) -> None:
    files = {"Gedächtnis/" + "ä" * 300: b"x", "../../y": b"y"}

    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        assert reader.read(make_tar(files, form)) == {"Gedächtnis/" + "ä" * 300: b"x", "y": b"y"}


def test_links_and_devices_of_a_tar_are_left_out_and_counted(reader: BundleReader) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as writer:
        kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)
        for kind in (*kinds, tarfile.DIRTYPE):
            info = tarfile.TarInfo("odd")
            info.type, info.linkname = kind, "/etc/passwd"
            writer.addfile(info)
        writer.addfile(tarfile.TarInfo("a"))

    def look(bundle: Bundle) -> dict[str, bytes]:
        assert bundle.left_out == {"link": 4}
        return {member.name: b"" for member in bundle.members}

    assert reader.use(look, archive.getvalue()) == {"a": b""}


def test_every_cut_and_every_change_of_a_head_of_a_tar_is_an_error_or_harmless(
    reader: BundleReader,
) -> None:
    archive = make_tar({"a": b"tea" * 9, "b": b"no tea"})
    whole = reader.read(archive)
    for at in [*range(512), *range(1024, 1536)]:
        for data in (archive[:at], archive[:at] + bytes([archive[at] ^ 0xFF]) + archive[at + 1 :]):
            try:
                members = reader.read(data)
            except Invalid:
                continue
            assert set(members.values()) <= {*whole.values(), data}


def test_a_tar_that_says_what_is_not_true_is_refused(reader: BundleReader) -> None:
    archive = make_tar({"a": b"tea"})

    with pytest.raises(Invalid, match="longer than the archive"):
        reader.read(change_head(archive, size=b"77777777777\0"))
    with pytest.raises(Invalid, match="another checksum"):
        reader.read(b"b" + archive[1:])
    with pytest.raises(Invalid, match="the archive holds more than 2 files"):
        reader.read(make_tar(dict.fromkeys("abc", b"")), limits=BundleLimits(members=2))


@pytest.mark.parametrize("size", [b"-1\0", b"-2000\0", b"+3\0", b"1_0\0", b"0o3\0", b"8\0"])
def test_a_size_in_a_tar_is_octal_digits_and_nothing_else(
    reader: BundleReader, size: bytes
) -> None:
    with pytest.raises(Invalid, match="is no number"):
        reader.read(change_head(make_tar({"a": b"tea"}), size=size.ljust(12, b"\0")))


def test_heads_before_a_file_of_a_tar_do_not_pile_up_in_memory(reader: BundleReader) -> None:
    block = change_head(make_tar({"a": b"x" * 65_536}), kind=b"x")[: 512 + 65_536]
    bomb = gzip.compress(block * 300)
    tracemalloc.start()
    try:
        with pytest.raises(Invalid, match="too much stands before a file"):
            reader.read(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 8 * MIB


def test_many_files_of_one_name_take_no_longer_than_others(reader: BundleReader) -> None:
    archive = make_tar({"a": b"x"})[:1024] * 3000 + bytes(1024)

    def look(bundle: Bundle) -> dict[str, bytes]:
        assert len({member.name for member in bundle.members}) == 3000
        return {}

    reader.use(look, archive)
