"""Files as people have them: packed in any usual way, told by content; hostile ones are refused."""

import gzip
import io
import os
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from memferry.errors import Invalid
from memferry.sources.base import Bundle
from memferry.sources.bundles.containers import open_bundle
from memferry.sources.bundles.limits import BundleLimits

WORDS = b"Green tea before noon.\n" * 1000
MIB = 1024 * 1024


def make_zip(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive as Python writes it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as writer:
        for name, data in files.items():
            writer.writestr(name, data)
    return archive.getvalue()


class Reader:
    """Opens files in a directory of a test, and looks at what is left there."""

    def __init__(self, directory: Path) -> None:
        self.uploads = directory / "uploads"
        self.unpacked = directory / "unpacked"
        self.uploads.mkdir()
        self.unpacked.mkdir()

    def read(self, *files: bytes, limits: BundleLimits | None = None) -> dict[str, bytes]:
        """The members of some files by name."""

        def read_all(bundle: Bundle) -> dict[str, bytes]:
            members = {}
            for member in bundle.members:
                with member.open() as file:
                    members[member.name] = file.read()
                assert members[member.name].startswith(member.peek(10))
            return members

        return self.use(read_all, *files, limits=limits)

    def use(
        self,
        action: Callable[[Bundle], dict[str, bytes]],
        *files: bytes,
        limits: BundleLimits | None = None,
    ) -> dict[str, bytes]:
        """What an action makes of the bundle."""
        for number, data in enumerate(files, 1):
            (self.uploads / f"file{number}").write_bytes(data)
        paths = sorted(self.uploads.iterdir())
        with open_bundle([(path.name, path) for path in paths], self.unpacked, limits) as bundle:
            return action(bundle)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        WORDS,
        gzip.compress(WORDS),
        gzip.compress(WORDS[:500]) + gzip.compress(WORDS[500:]) + bytes(512),
        zstandard.compress(WORDS),
        zstandard.compress(WORDS[:500]) + zstandard.compress(WORDS[500:]),
        b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc" + zstandard.compress(WORDS),
        zstandard.ZstdCompressor().compressobj().compress(b"") + zstandard.compress(WORDS),
        gzip.compress(zstandard.compress(WORDS)),
    ],
    ids=["plain", "gzip", "members", "zstd", "frames", "skippable", "empty", "twice"],
)
def test_a_single_file_is_unpacked_by_its_content(reader: Reader, data: bytes) -> None:
    assert reader.read(data) == {"file1": WORDS}
    assert list(reader.unpacked.iterdir()) == []


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_members_of_a_zip_come_in_their_order(reader: Reader, method: int) -> None:
    files = {f"folder/{name}.json": name.encode() * 99 for name in "zebra"}

    assert list(reader.read(make_zip(files, method)).items()) == list(files.items())


def test_several_files_are_one_bundle_with_their_names(reader: Reader) -> None:
    members = reader.read(b"one", make_zip({"a": b"two"}), gzip.compress(b"three"))

    assert members == {"file1": b"one", "file2/a": b"two", "file3": b"three"}


def test_what_is_packed_in_an_archive_is_unpacked_too(reader: Reader) -> None:
    inner = make_zip({"conversations.json": b"[1]"})
    archive = make_zip({"a.zip": inner, "m/memories.jsonl.gz": gzip.compress(b"{}"), "b": b"x"})

    assert reader.read(archive) == {
        "a.zip/conversations.json": b"[1]",
        "m/memories.jsonl.gz": b"{}",
        "b": b"x",
    }


def test_an_archive_two_levels_down_is_a_file_like_any_other(reader: Reader) -> None:
    innermost = make_zip({"x": b"y"})
    members = reader.read(make_zip({"a.zip": make_zip({"b.zip": innermost})}))

    assert members == {"a.zip/b.zip": innermost}


def test_a_document_in_an_archive_is_not_taken_apart(reader: Reader) -> None:
    document = make_zip({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"})

    assert reader.read(make_zip({"a.docx": document, "b": b"x"})) == {
        "a.docx": document,
        "b": b"x",
    }


def test_a_zip_without_seeking_has_its_sizes_behind_the_data(reader: Reader) -> None:
    class Pipe(io.RawIOBase):
        data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("a", WORDS)
    assert reader.read(pipe.data) == {"a": WORDS}


@pytest.mark.parametrize("limit", ["ZIP64_LIMIT", "ZIP_FILECOUNT_LIMIT"])
def test_zip64_is_read(reader: Reader, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    # From here on Python writes what only huge archives have.
    monkeypatch.setattr(zipfile, limit, 2)
    files = {"a": WORDS, "b": b"tea", "c": WORDS[:99]}

    assert reader.read(make_zip(files)) == files


def test_something_before_an_archive_does_not_matter(reader: Reader) -> None:
    assert reader.read(b"#!/bin/sh\n" + make_zip({"a": b"x"})) != {"a": b"x"}
    archive = io.BytesIO(b"PK\x03\x04 a program that unpacks itself")
    archive.seek(0, os.SEEK_END)
    with zipfile.ZipFile(archive, "a") as writer:
        writer.writestr("a", b"x")

    assert reader.read(archive.getvalue()) == {"a": b"x"}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("folder\\sub\\a.md", "folder/sub/a.md"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("a/./b//c", "a/b/c"),
        ("C:\\a", "C:/a"),
        ("Gedächtnis.json", "Gedächtnis.json"),
    ],
)
def test_names_are_labels_and_nothing_is_written_under_them(
    reader: Reader, name: str, label: str
) -> None:
    assert reader.read(make_zip({name: b"x"})) == {label: b"x"}
    assert sorted(path.name for path in reader.uploads.parent.rglob("*")) == [
        "file1",
        "unpacked",
        "uploads",
    ]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_files_of_one_name_are_all_kept(reader: Reader) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for text in ("one", "two", "three"):
            writer.writestr("m/a.json", text)

    assert reader.read(archive.getvalue()) == {
        "m/a.json": b"one",
        "m/a (2).json": b"two",
        "m/a (3).json": b"three",
    }


def test_links_and_files_of_the_system_are_left_out_and_counted(reader: Reader) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        link = zipfile.ZipInfo("link")
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        writer.writestr(link, "/etc/passwd")
        for name in ("__MACOSX/._a", "x/.DS_Store", "._b", "folder/", "a"):
            writer.writestr(name, b"x" * (not name.endswith("/")))

    def look(bundle: Bundle) -> dict[str, bytes]:
        assert bundle.left_out == {"link": 1, "system file": 3}
        return {member.name: b"" for member in bundle.members}

    assert reader.use(look, archive.getvalue()) == {"a": b""}


def make_tar(files: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """An archive as Python writes it."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=form) as writer:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            writer.addfile(info, io.BytesIO(data))
    return archive.getvalue()


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_tar_of_any_form_is_read_packed_or_not(reader: Reader, form: int) -> None:
    files = {"a": WORDS, "x" * 90 + "/" + "y" * 90: b"long", "empty": b"", "b": b"tea" * 171}
    archive = make_tar(files, form)

    for data in (archive, gzip.compress(archive), zstandard.compress(archive)):
        assert reader.read(data) == files


def test_names_of_a_tar_may_be_long_and_of_any_script(reader: Reader) -> None:
    files = {"Gedächtnis/" + "ä" * 300: b"x", "../../y": b"y"}

    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        assert reader.read(make_tar(files, form)) == {"Gedächtnis/" + "ä" * 300: b"x", "y": b"y"}


def test_links_and_devices_of_a_tar_are_left_out_and_counted(reader: Reader) -> None:
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
    reader: Reader,
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


def test_a_tar_that_says_what_is_not_true_is_refused(reader: Reader) -> None:
    archive = make_tar({"a": b"tea"})
    head = bytearray(archive[:512])
    head[124:136] = b"77777777777\0"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)

    with pytest.raises(Invalid, match="longer than the archive"):
        reader.read(bytes(head) + archive[512:])
    with pytest.raises(Invalid, match="another checksum"):
        reader.read(b"b" + archive[1:])
    with pytest.raises(Invalid, match="the archive holds more than 2 files"):
        reader.read(make_tar(dict.fromkeys("abc", b"")), limits=BundleLimits(members=2))


def test_many_files_of_one_name_take_no_longer_than_others(reader: Reader) -> None:
    archive = make_tar({"a": b"x"})[:1024] * 3000 + bytes(1024)

    def look(bundle: Bundle) -> dict[str, bytes]:
        assert len({member.name for member in bundle.members}) == 3000
        return {}

    reader.use(look, archive)


def test_a_name_commands_no_terminal(reader: Reader) -> None:
    assert list(reader.read(make_zip({"a\x1b[31m\n.md": b"x", "..": b"y"}))) == [
        "a\ufffd[31m\ufffd.md",
        "unnamed",
    ]


def change_directory(archive: bytes, offset: int, value: bytes) -> bytes:
    """An archive of one file with other bytes at an offset of its entry in the directory."""
    at = archive.rindex(b"PK\x01\x02") + offset
    return archive[:at] + value + archive[at + len(value) :]


ONE = make_zip({"a": WORDS})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (gzip.compress(WORDS)[:-9], "damaged or cut off"),
        (gzip.compress(WORDS) + b"more", "damaged or cut off"),
        (gzip.compress(WORDS)[:-8] + b"\0" * 8, "CRC"),
        (zstandard.compress(WORDS)[:-1], "ends too early"),
        (zstandard.compress(WORDS) + b"more", "damaged or cut off"),
        (ONE[:-1], "end is missing"),
        (ONE[: len(ONE) // 2], "end is missing"),
        (ONE[10:30] + ONE[30:], None),
        (change_directory(ONE, 24, struct.pack("<L", 5)), "not what the directory"),
        (change_directory(ONE, 24, struct.pack("<L", 99_999)), "not what the directory"),
        (change_directory(ONE, 16, b"\1\2\3\4"), "not what the directory"),
        (change_directory(ONE, 20, struct.pack("<L", 20)), "ends too early"),
        (change_directory(ONE, 42, struct.pack("<L", 7)), "nothing stands where"),
        (change_directory(ONE, 42, struct.pack("<L", 2**31)), "lies behind its end"),
        (change_directory(ONE, 8, b"\1"), "encrypted"),
        (change_directory(ONE, 10, b"\x0e"), "method 14"),
        (change_directory(ONE, 0, b"XX"), "damaged"),
        (change_directory(ONE, 28, b"\xff\xff"), "damaged"),
        (b"age-encryption.org/v1\n-> X25519 x", "encrypted with age"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\nx", "encrypted with age"),
        (gzip.compress(gzip.compress(gzip.compress(gzip.compress(b"x")))), "too many times"),
    ],
    ids=lambda value: None if isinstance(value, str) else type(value).__name__,
)
def test_a_damaged_or_locked_file_is_an_error_that_says_so(
    reader: Reader, data: bytes, words: str | None
) -> None:
    if words is None:
        assert reader.read(data) == {"file1": data}
        return
    with pytest.raises(Invalid, match=words):
        reader.read(data)
    assert list(reader.unpacked.iterdir()) == []


def test_a_size_that_lies_is_noticed_at_the_first_byte_too_many(reader: Reader) -> None:
    with pytest.raises(Invalid, match="not what the directory"):
        reader.use(lambda _: {}, change_directory(ONE, 24, struct.pack("<L", 5)))


def test_every_cut_and_every_changed_byte_of_a_zip_is_an_error_or_harmless(
    reader: Reader,
) -> None:
    archive = make_zip({"a": b"tea" * 9, "b": b"no tea"}, zipfile.ZIP_STORED)
    whole = reader.read(archive)
    for at in range(len(archive)):
        for data in (archive[:at], archive[:at] + bytes([archive[at] ^ 0xFF]) + archive[at + 1 :]):
            try:
                members = reader.read(data)
            except Invalid:
                continue
            assert set(members.values()) <= {*whole.values(), data}


def test_a_file_may_not_unpack_to_much_more_than_it_takes(reader: Reader) -> None:
    zeros = bytes(2 * MIB)
    for data in (zstandard.compress(zeros), gzip.compress(zeros), make_zip({"a": zeros})):
        with pytest.raises(Invalid, match="more than 500 times"):
            reader.read(data, limits=BundleLimits(ratio_from_bytes=MIB))
        assert list(reader.unpacked.iterdir()) == []


def test_sizes_are_counted_and_not_believed(reader: Reader) -> None:
    with pytest.raises(Invalid, match="more than 5000 bytes"):
        reader.read(gzip.compress(WORDS), limits=BundleLimits(member_bytes=5000))
    with pytest.raises(Invalid, match="more than 40000 bytes in all"):
        reader.read(make_zip({"a": WORDS, "b": WORDS}), limits=BundleLimits(total_bytes=40_000))


def test_opening_a_member_again_counts_once(reader: Reader) -> None:
    def open_often(bundle: Bundle) -> dict[str, bytes]:
        for _ in range(5):
            bundle.members[0].open().close()
        return {}

    reader.use(open_often, gzip.compress(WORDS), limits=BundleLimits(total_bytes=len(WORDS)))


def test_there_may_be_only_so_many_files_and_archives(reader: Reader) -> None:
    with pytest.raises(Invalid, match="the archive holds more than 3 files"):
        reader.read(make_zip(dict.fromkeys("abcd", b"")), limits=BundleLimits(members=3))
    with pytest.raises(Invalid, match="more than 2 archives"):
        reader.read(make_zip({"a": ONE, "b": ONE}), limits=BundleLimits(archives=2))


def test_files_that_overlap_are_refused(reader: Reader) -> None:
    archive = make_zip({"a": WORDS, "b": WORDS})
    second = archive.rindex(b"PK\x01\x02") + 42
    bomb = archive[:second] + b"\0\0\0\0" + archive[second + 4 :]

    with pytest.raises(Invalid, match="overlaps"):
        reader.read(bomb)


def test_a_member_is_unpacked_to_disk_and_not_to_memory(reader: Reader) -> None:
    block = os.urandom(MIB)
    packed = zstandard.compress(b"".join(bytes([number]) + block for number in range(60)))
    tracemalloc.start()
    try:
        reader.use(lambda bundle: {"": bundle.members[0].open().close() or b""}, packed)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < len(packed) + 40 * MIB
