"""Exports in parts: each is a whole file, and one manifest names all."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from memferry.model.export import LEAST_PART_BYTES
from support.command_line import run_memferry
from support.people import Person, make_person
from support.readers import CODECS, read
from support.service import Service

ROWS = 3_000


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice with some three parts of rows, which no codec makes smaller."""
    with make_person("alice", service, database_url) as person:
        person.save_many(
            [{"content": hashlib.shake_256(b"%d" % i).hexdigest(500)} for i in range(ROWS)]
        )
        yield person


def export(person: Person, **body: Any) -> dict[str, Any]:
    """A completed export in parts."""
    return person.wait_for(person.export(max_part_bytes=LEAST_PART_BYTES, **body))


def download(done: dict[str, Any]) -> list[bytes]:
    return [httpx.get(part["download_url"]).content for part in done["parts"]]


@pytest.mark.parametrize("file_format", ["ndjson", "json", "csv"])
def test_the_parts_hold_the_rows_of_the_whole_export(alice: Person, file_format: str) -> None:
    whole = alice.export(format=file_format)["payload"].encode()
    done = export(alice, format=file_format)
    files = download(done)
    rows = [row for file in files for row in read(file_format, file)]

    assert len(files) > 2
    assert rows == read(file_format, whole)
    assert (done["sha256"], done["bytes_done"]) == (hashlib.sha256(whole).hexdigest(), len(whole))
    assert sum(part["rows"] for part in done["parts"]) == done["row_count"] == ROWS
    for part, file in zip(done["parts"], files, strict=True):
        assert (part["file_bytes"], part["bytes"]) == (len(file), len(file))
        assert part["file_sha256"] == part["sha256"] == hashlib.sha256(file).hexdigest()
        assert len(file) <= LEAST_PART_BYTES


@pytest.mark.parametrize(
    ("file_format", "read_ids"),
    [
        ("parquet", lambda file: pq.read_table(io.BytesIO(file))["id"].to_pylist()),
        ("okf", lambda file: [Path(name).stem for name in list_names(file)[:-1]]),
    ],
)
def test_the_parts_of_a_binary_format_are_whole_files_of_it(
    alice: Person, file_format: str, read_ids: Callable[[bytes], list[str]]
) -> None:
    ids = [row["id"] for row in read("json", alice.export()["payload"].encode())]
    done = export(alice, format=file_format)
    files = download(done)

    assert len(files) > 1
    assert [id_ for file in files for id_ in read_ids(file)] == ids
    assert [len(read_ids(file)) for file in files] == [part["rows"] for part in done["parts"]]
    assert done["sha256"] == hashlib.sha256(b"".join(files)).hexdigest()
    assert all(len(file) <= LEAST_PART_BYTES for file in files)


def list_names(archive: bytes) -> list[str]:
    """The names of a zip's members."""
    return zipfile.ZipFile(io.BytesIO(archive)).namelist()


def test_parts_of_pasted_lines_are_cut_between_entries_alone(bob: Person) -> None:
    lines = "\n[2026-01-01] - no entry\n\r\n[x]\u2028[y]"
    bob.save_many([{"content": f"{i}{lines}" + "x" * 500} for i in range(ROWS + 1_000)])
    whole = bob.export(format="paste")["payload"]
    done = export(bob, format="paste")
    files = [file.decode() for file in download(done)]

    assert len(files) > 1
    assert "".join(files) == whole
    assert all(file.startswith("[") for file in files)
    assert [part["rows"] for part in done["parts"]] == [
        len(re.findall(r"^\[", file, re.MULTILINE)) for file in files
    ]
    assert sum(part["rows"] for part in done["parts"]) == ROWS + 1_000


@pytest.mark.parametrize("compression", CODECS)
def test_each_part_is_compressed_by_itself_and_no_larger_than_asked(
    alice: Person, compression: str
) -> None:
    done = export(alice, format="ndjson", compression=compression)
    files = download(done)

    assert all(len(file) <= LEAST_PART_BYTES for file in files)
    for part, file in zip(done["parts"], files, strict=True):
        assert hashlib.sha256(CODECS[compression](file)).hexdigest() == part["sha256"]


def test_the_same_rows_give_the_same_parts(alice: Person) -> None:
    first, second = (export(alice, format="csv")["parts"] for _ in range(2))

    for part in (*first, *second):
        part.pop("download_url")
    assert first == second


def test_one_manifest_names_all_parts(alice: Person) -> None:
    done = export(alice, format="ndjson")
    manifest = alice.get(f"/api/memories/exports/{done['id']}/manifest").json()
    parts = manifest["memferry"]["parts"]

    assert [part["file"]["sha256"] for part in parts] == [
        part["file_sha256"] for part in done["parts"]
    ]
    assert [part["rows"] for part in parts] == [part["rows"] for part in done["parts"]]
    assert parts[1]["path"] == f"memferry-{done['id']}.part-0002.ndjson"
    assert manifest["memferry"]["content"]["sha256"] == done["sha256"]
    assert len(manifest["resources"]) == len(parts)


def test_what_fits_into_one_part_stays_a_payload(alice: Person) -> None:
    small = alice.export(max_part_bytes=LEAST_PART_BYTES, created_before=0)

    assert (small["status"], small["parts"], small["payload"]) == ("completed", None, "[]")
    assert small["max_part_bytes"] is None


def test_a_link_of_a_part_serves_ranges_and_its_own_name(alice: Person) -> None:
    done = export(alice, format="ndjson")
    answer = httpx.get(done["parts"][1]["download_url"], headers={"Range": "bytes=0-9"})

    assert answer.status_code == 206
    assert answer.headers["content-disposition"].endswith('.part-0002.ndjson"')
    assert answer.headers["etag"] == f'"{done["parts"][1]["file_sha256"]}"'
    assert done["download_url"].split("/")[:4] == done["parts"][0]["download_url"].split("/")[:4]


def test_deleting_the_export_removes_every_part(alice: Person, service: Service) -> None:
    done = export(alice, format="ndjson")
    before = [path.name for path in service.store.glob(f"*/{done['id']}/*")]
    alice.delete(f"/api/memories/exports/{done['id']}")

    assert len(before) == len(done["parts"]) + 2
    assert not list(service.store.glob(f"*/{done['id']}/*"))
    assert httpx.get(done["parts"][1]["download_url"]).status_code == 404


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"max_part_bytes": LEAST_PART_BYTES - 1}, "1,048,576"),
        ({"max_part_bytes": "2"}, "max_part_bytes"),
        ({"max_part_bytes": -1}, "max_part_bytes"),
    ],
)
def test_parts_that_cannot_be_made_are_refused_with_the_field(
    alice: Person, body: dict[str, Any], reason: str
) -> None:
    answer = alice.post("/api/memories/exports", json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, "max_part_bytes")
    assert reason in answer.json()["error"]


def test_the_command_saves_all_parts_and_verifies_them(alice: Person, tmp_path: Path) -> None:
    target = tmp_path / "out.ndjson"
    options = ["--format", "ndjson", "--max-part-bytes", str(LEAST_PART_BYTES), "--manifest"]
    saved = run_memferry("export", *options, "-o", str(target), person=alice)
    files = sorted(tmp_path.glob("out.part-*.ndjson"))
    rows = [json.loads(line) for file in files for line in file.read_bytes().splitlines()]
    good = run_memferry("verify", str(files[0]))
    files[1].unlink()
    bad = run_memferry("verify", str(files[0]))

    assert saved.returncode == 0, saved.stderr
    assert len(rows) == ROWS
    assert good.returncode == 0, good.stdout
    assert bad.returncode == 1
    assert b"part-0002.ndjson is missing" in bad.stdout
