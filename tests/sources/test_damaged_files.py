"""Whatever chance makes of a file: what is read is valid text, and nothing but Invalid ends it."""

import gzip
import io
import json
import random
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from memferry.errors import Invalid
from memferry.sources import SOURCES, ReadOptions, open_bundle
from support.source_files import Notes

ROW: dict[str, Any] = {
    "id": "0195b1c2-aaaa-7bbb-8ccc-000000000001",
    "content": 'Tea "x" é 😀\n',
    "namespace": "d",
    "tags": ["a"],
    "source": "s",
    "source_ref": None,
    "metadata": {"a": [1.5, {"b": None}]},
    "created_at": 1735689600000,
    "updated_at": 1735689600000,
}
LINES = (json.dumps(ROW) + "\n").encode() * 5
TABLE = (
    b"id,content,tags,created_at\r\n" + (ROW["id"] + ',"a ""x"", y","[""a""]",1\r\n').encode() * 4
)
FRAGMENTS = (
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"'", b"\n", b"\r", b"\x00", b"\xff"),
    *(b"\\ud800", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"NaN", b"null", b"1e999", b'"content":'),
)


def make_files() -> list[bytes]:
    """One file of each kind, before anything has happened to it."""
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", json.dumps([ROW] * 3))
        archive.writestr("b.gz", gzip.compress(LINES))
    with tarfile.open(fileobj=tarred, mode="w") as archive_:
        info = tarfile.TarInfo("a.ndjson")
        info.size = len(LINES)
        archive_.addfile(info, io.BytesIO(LINES))
    entity = {"type": "entity", "name": "Ada", "entityType": "p", "observations": ["a", "b"]}
    foreign = {"memory": "x", "created_at": "2026-01-01", "metadata": {"a": 1}, "tags": ["t"]}
    return [
        LINES,
        json.dumps([ROW] * 4, indent=1).encode(),
        json.dumps([ROW] * 3).encode("utf-16"),
        json.dumps({"results": [foreign] * 4}).encode(),
        (json.dumps(entity) + "\n").encode() * 4,
        TABLE,
        gzip.compress(LINES),
        zipped.getvalue(),
        tarred.getvalue(),
    ]


def damage(chance: random.Random, data: bytes) -> bytes:
    """The data after a few accidents."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) or 1)
        before, after = data[:at], data[at:]
        data = chance.choice(
            (
                before + after[chance.randint(1, 9) :],
                before + chance.choice(FRAGMENTS) * chance.choice((1, 1, 70)) + after,
                before + bytes([chance.randrange(256)]) + after[1:],
                before,
            )
        )
    return data


def read_all(path: Path) -> None:
    """Read a file by whatever source knows it, and look at every text."""
    with open_bundle([("file", path)], path.parent) as bundle:
        for source, part in SOURCES.assign(bundle, Notes()):
            for record in source.read(part, ReadOptions(), Notes()):
                texts = (record.content, record.metadata, record.key, record.namespace)
                "".join(text or "" for text in (*texts, *record.tags)).encode()
                json.loads(record.metadata or "null")


def test_nothing_but_invalid_ends_the_reading_of_damaged_files(tmp_path: Path, seed: int) -> None:
    chance, path, read = random.Random(seed), tmp_path / "file", 0
    files = make_files()
    for _ in range(1000):
        path.write_bytes(damage(chance, chance.choice(files)))
        try:
            read_all(path)
        except Invalid:
            continue
        read += 1

    assert 200 < read < 1000
