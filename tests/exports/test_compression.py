"""Compressed exports: the file holds the same rows, and both forms are told and checked."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.command_line import run_memferry
from support.people import Person, make_person
from support.readers import CODECS
from support.service import Service

MEDIA_TYPES = {"gzip": ("application/gzip", "gz"), "zstd": ("application/zstd", "zst")}


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice with one row more than an answer holds; nobody here changes them."""
    with make_person("alice", service, database_url) as person:
        person.save_many([{"content": f"memory {i} é 🙂"} for i in range(10_001)])
        yield person


@pytest.fixture(scope="module")
def plain(alice: Person) -> dict[str, Any]:
    return alice.wait_for(alice.export(format="ndjson"))


@pytest.mark.parametrize("compression", CODECS)
def test_a_compressed_file_holds_what_the_plain_one_holds(
    alice: Person, plain: dict[str, Any], compression: str
) -> None:
    done = alice.wait_for(alice.export(format="ndjson", compression=compression))
    answer = httpx.get(done["download_url"])
    media_type, ending = MEDIA_TYPES[compression]

    assert CODECS[compression](answer.content) == httpx.get(plain["download_url"]).content
    assert (done["sha256"], done["bytes_done"]) == (plain["sha256"], plain["bytes_done"])
    assert hashlib.sha256(answer.content).hexdigest() == done["file_sha256"]
    assert len(answer.content) == done["file_bytes"] < done["bytes_done"]
    assert (done["compression"], done["row_count"]) == (compression, 10_001)
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"].endswith(f'.ndjson.{ending}"')
    assert "content-encoding" not in answer.headers


def test_the_digest_and_tag_of_a_download_are_those_of_the_file(alice: Person) -> None:
    done = alice.wait_for(alice.export(compression="zstd"))
    headers = httpx.head(done["download_url"]).headers
    digest = base64.b64encode(bytes.fromhex(done["file_sha256"])).decode()

    assert headers["repr-digest"] == f"sha-256=:{digest}:"
    assert headers["etag"] == f'"{done["file_sha256"]}"'
    assert headers["content-length"] == str(done["file_bytes"])


@pytest.mark.parametrize("compression", CODECS)
def test_the_same_rows_give_the_same_compressed_bytes(alice: Person, compression: str) -> None:
    done = [alice.wait_for(alice.export(compression=compression)) for _ in range(2)]

    assert done[0]["file_sha256"] == done[1]["file_sha256"]


def test_an_uncompressed_file_has_one_size_and_digest(plain: dict[str, Any]) -> None:
    assert plain["compression"] is None
    assert plain["file_sha256"] == plain["sha256"]
    assert plain["file_bytes"] == plain["bytes_done"]


def test_a_payload_in_an_answer_is_never_compressed(alice: Person) -> None:
    export = alice.export(compression="gzip", namespace="nothing here")

    assert (export["status"], export["payload"]) == ("completed", "[]")
    assert export["compression"] is None
    assert (export["file_bytes"], export["file_sha256"]) == (None, None)


@pytest.mark.parametrize("value", ["lz4", "", "GZIP"])
def test_an_unknown_compression_is_refused_by_name(alice: Person, value: str) -> None:
    answer = alice.post("/api/memories/exports", json={"compression": value})

    assert answer.status_code == 400
    assert answer.json()["field"] == "compression"
    assert "gzip" in answer.json()["error"]


def test_an_idempotency_key_stands_for_one_compression(alice: Person) -> None:
    headers = {"Idempotency-Key": "one-compression"}
    body = {"namespace": "nothing here"}
    first = alice.post("/api/memories/exports", json=body, headers=headers)
    again = alice.post("/api/memories/exports", json=body, headers=headers)
    other = alice.post(
        "/api/memories/exports", json=body | {"compression": "zstd"}, headers=headers
    )

    assert (first.status_code, other.status_code) == (201, 422)
    assert again.json()["id"] == first.json()["id"]


@pytest.mark.parametrize("compression", CODECS)
def test_the_command_brings_a_compressed_file(
    alice: Person, plain: dict[str, Any], compression: str, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    arguments = ["--format", "ndjson", "--compression", compression, "-o", str(target)]
    done = run_memferry("export", *arguments, person=alice)

    assert done.returncode == 0, done.stderr
    data = CODECS[compression](target.read_bytes())
    assert hashlib.sha256(data).hexdigest() == plain["sha256"]


@pytest.mark.parametrize("compression", CODECS)
def test_the_command_compresses_a_payload_itself(
    alice: Person, compression: str, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    arguments = ["--namespace", "nothing here", "--compression", compression, "-o", str(target)]
    done = run_memferry("export", *arguments, person=alice)

    assert done.returncode == 0, done.stderr
    assert CODECS[compression](target.read_bytes()) == b"[]"


def test_the_command_refuses_an_unknown_compression(alice: Person) -> None:
    done = run_memferry("export", "--compression", "rar", person=alice)

    assert done.returncode == 1
    assert b"compression: unknown; expected one of gzip, zstd" in done.stderr
