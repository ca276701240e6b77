"""Files as people have them: packed in any usual way, told by content; hostile ones are refused."""

import gzip
import io
import os
import stat
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import zstandard

from memferry.errors import Invalid
from memferry.sources.base import Bundle
from memferry.sources.bundles.limits import BundleLimits
from support.bundles import WORDS, BundleReader, make_zip

MIB = 1024 * 1024


@pytest.fixture
def reader(tmp_path: Path) -> BundleReader:
    return BundleReader(tmp_path)


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
def test_a_single_file_is_unpacked_by_its_content(reader: BundleReader, data: bytes) -> None:
    assert reader.read(data) == {"file1": WORDS}
    assert list(reader.unpacked.iterdir()) == []


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_members_of_a_zip_come_in_their_order(reader: BundleReader, method: int) -> None:
    files = {f"folder/{name}.json": name.encode() * 99 for name in "zebra"}

    assert list(reader.read(make_zip(files, method)).items()) == list(files.items())


def test_several_files_are_one_bundle_with_their_names(reader: BundleReader) -> None:
    members = reader.read(b"one", make_zip({"a": b"two"}), gzip.compress(b"three"))

    assert members == {"file1": b"one", "file2/a": b"two", "file3": b"three"}


def test_what_is_packed_in_an_archive_is_unpacked_too(reader: BundleReader) -> None:
    inner = make_zip({"conversations.json": b"[1]"})
    archive = make_zip({"a.zip": inner, "m/memories.jsonl.gz": gzip.compress(b"{}"), "b": b"x"})

    assert reader.read(archive) == {
        "a.zip/conversations.json": b"[1]",
        "m/memories.jsonl.gz": b"{}",
        "b": b"x",
    }


def test_an_archive_two_levels_down_is_a_file_like_any_other(reader: BundleReader) -> None:
    innermost = make_zip({"x": b"y"})
    members = reader.read(make_zip({"a.zip": make_zip({"b.zip": innermost})}))

    assert members == {"a.zip/b.zip": innermost}


def test_a_document_in_an_archive_is_not_taken_apart(reader: BundleReader) -> None:
    document = make_zip({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"})

    assert reader.read(make_zip({"a.docx": document, "b": b"x"})) == {
        "a.docx": document,
        "b": b"x",
    }


def test_a_zip_without_seeking_has_its_sizes_behind_the_data(reader: BundleReader) -> None:
    class Pipe(io.RawIOBase):
        data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]  # zip writes bytes
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("a", WORDS)
    assert reader.read(pipe.data) == {"a": WORDS}


@pytest.mark.parametrize("limit", ["ZIP64_LIMIT", "ZIP_FILECOUNT_LIMIT"])
def test_zip64_is_read(reader: BundleReader, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    # From here on Python writes what only huge archives have.
    monkeypatch.setattr(zipfile, limit, 2)
    files = {"a": WORDS, "b": b"tea", "c": WORDS[:99]}

    assert reader.read(make_zip(files)) == files


def test_something_before_an_archive_does_not_matter(reader: BundleReader) -> None:
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
    reader: BundleReader, name: str, label: str
) -> None:
    assert reader.read(make_zip({name: b"x"})) == {label: b"x"}
    assert sorted(path.name for path in reader.uploads.parent.rglob("*")) == [
        "file1",
        "unpacked",
        "uploads",
    ]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_files_of_one_name_are_all_kept(reader: BundleReader) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for text in ("one", "two", "three"):
            writer.writestr("m/a.json", text)

    assert reader.read(archive.getvalue()) == {
        "m/a.json": b"one",
        "m/a (2).json": b"two",
        "m/a (3).json": b"three",
    }


def test_links_and_files_of_the_system_are_left_out_and_counted(reader: BundleReader) -> None:
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


def test_a_name_commands_no_terminal(reader: BundleReader) -> None:
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
    reader: BundleReader, data: bytes, words: str | None
) -> None:
    if words is None:
        assert reader.read(data) == {"file1": data}
        return
    with pytest.raises(Invalid, match=words):
        reader.read(data)
    assert list(reader.unpacked.iterdir()) == []


def test_a_size_that_lies_is_noticed_at_the_first_byte_too_many(reader: BundleReader) -> None:
    with pytest.raises(Invalid, match="not what the directory"):
        reader.use(lambda _: {}, change_directory(ONE, 24, struct.pack("<L", 5)))


def test_every_cut_and_every_changed_byte_of_a_zip_is_an_error_or_harmless(
    reader: BundleReader,
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


def test_a_file_may_not_unpack_to_much_more_than_it_takes(reader: BundleReader) -> None:
    zeros = bytes(2 * MIB)
    for data in (zstandard.compress(zeros), gzip.compress(zeros), make_zip({"a": zeros})):
        with pytest.raises(Invalid, match="more than 500 times"):
            reader.read(data, limits=BundleLimits(ratio_from_bytes=MIB))
        assert list(reader.unpacked.iterdir()) == []


def test_sizes_are_counted_and_not_believed(reader: BundleReader) -> None:
    with pytest.raises(Invalid, match="more than 5000 bytes"):
        reader.read(gzip.compress(WORDS), limits=BundleLimits(member_bytes=5000))
    with pytest.raises(Invalid, match="more than 40000 bytes in all"):
        reader.read(make_zip({"a": WORDS, "b": WORDS}), limits=BundleLimits(total_bytes=40_000))


def test_opening_a_member_again_counts_once(reader: BundleReader) -> None:
    def open_often(bundle: Bundle) -> dict[str, bytes]:
        for _ in range(5):
            bundle.members[0].open().close()
        return {}

    reader.use(open_often, gzip.compress(WORDS), limits=BundleLimits(total_bytes=len(WORDS)))


def test_there_may_be_only_so_many_files_and_archives(reader: BundleReader) -> None:
    with pytest.raises(Invalid, match="the archive holds more than 3 files"):
        reader.read(make_zip(dict.fromkeys("abcd", b"")), limits=BundleLimits(members=3))
    with pytest.raises(Invalid, match="more than 2 archives"):
        reader.read(make_zip({"a": ONE, "b": ONE}), limits=BundleLimits(archives=2))


def test_files_that_overlap_are_refused(reader: BundleReader) -> None:
    archive = make_zip({"a": WORDS, "b": WORDS})
    second = archive.rindex(b"PK\x01\x02") + 42
    bomb = archive[:second] + b"\0\0\0\0" + archive[second + 4 :]

    with pytest.raises(Invalid, match="overlaps"):
        reader.read(bomb)


def test_a_member_is_unpacked_to_disk_and_not_to_memory(reader: BundleReader) -> None:
    block = os.urandom(MIB)
    packed = zstandard.compress(b"".join(bytes([number]) + block for number in range(60)))
    tracemalloc.start()
    try:
        reader.use(lambda bundle: {"": bundle.members[0].open().close() or b""}, packed)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < len(packed) + 40 * MIB
