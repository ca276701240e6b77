"""Exports of binary formats: always a file, exact, and read by the programs people have."""

import importlib.util
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from support.memories import AWKWARD, save_everywhere
from support.okf import check_bundle, read_bundle, split_concept
from support.people import Person, make_person
from support.service import Service

_OF_DUCKDB = """
    SELECT * REPLACE (epoch_ms(created_at) AS created_at, epoch_ms(updated_at) AS updated_at)
    FROM read_parquet(?)
"""


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice with awkward memories, some of them with metadata; nobody here changes them."""
    with make_person("alice", service, database_url) as person:
        save_everywhere(person, AWKWARD)
        person.save("plain", metadata={"a": {"b": [1, None]}}, created_at=0)
        person.save("last", created_at=8_640_000_000_000_000)
        yield person


@pytest.fixture(scope="module")
def rows(alice: Person) -> list[dict[str, Any]]:
    """What the export of the same memories as JSON says."""
    found: list[dict[str, Any]] = json.loads(alice.export(format="json")["payload"])
    return found


@pytest.fixture(scope="module")
def file(alice: Person, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("parquet") / "memories.parquet"
    target.write_bytes(alice.download(alice.export(format="parquet")))
    return target


def test_a_small_export_is_queued_to_a_file(alice: Person) -> None:
    export = alice.export(format="parquet")
    done = alice.wait_for(export)
    answer = httpx.get(done["download_url"])

    assert (export["status"], export["payload"]) == ("pending", None)
    assert done["status"] == "completed"
    assert (done["row_count"], done["bytes_done"]) == (len(AWKWARD) + 2, len(answer.content))
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert answer.headers["content-disposition"].endswith('.parquet"')
    assert pq.read_metadata(io.BytesIO(answer.content)).num_rows == done["row_count"]


def test_an_export_of_no_rows_is_a_file_with_its_columns(alice: Person) -> None:
    done = alice.wait_for(alice.export(format="parquet", namespace="none"))
    metadata = pq.read_metadata(io.BytesIO(httpx.get(done["download_url"]).content))

    assert (done["row_count"], metadata.num_rows, metadata.num_columns) == (0, 0, 9)


def test_the_whole_file_can_be_compressed_again(alice: Person, file: Path) -> None:
    done = alice.wait_for(alice.export(format="parquet", compression="gzip"))
    answer = httpx.get(done["download_url"])

    assert answer.headers["content-disposition"].endswith('.parquet.gz"')
    assert done["bytes_done"] == len(file.read_bytes())


def test_arrow_reads_what_json_says(file: Path, rows: list[dict[str, Any]]) -> None:
    table = pq.read_table(file)
    for number, name in ((7, "created_at"), (8, "updated_at")):
        table = table.set_column(number, name, table[name].cast("int64"))

    assert _parse(table.to_pylist()) == rows


def test_duckdb_reads_what_json_says(file: Path, rows: list[dict[str, Any]]) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    found = duckdb.execute(_OF_DUCKDB, [str(file)])
    names = [column[0] for column in found.description]

    assert _parse([dict(zip(names, row, strict=True)) for row in found.fetchall()]) == rows


def test_polars_reads_what_json_says(file: Path, rows: list[dict[str, Any]]) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed (./run bench has it)")
    times = polars.col("created_at", "updated_at").dt.epoch("ms")

    assert _parse(polars.read_parquet(file).with_columns(times).to_dicts()) == rows


def test_pandas_reads_what_json_says(file: Path, rows: list[dict[str, Any]]) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed (./run bench has it)")
    table = pandas.read_parquet(file)
    for name in ("created_at", "updated_at"):
        table[name] = table[name].astype("int64")
    found = table.astype(object).where(table.notna(), None).to_dict("records")

    assert _parse([{**row, "tags": list(row["tags"])} for row in found]) == rows


def test_the_concepts_of_a_bundle_say_what_json_says(
    alice: Person, rows: list[dict[str, Any]]
) -> None:
    done = alice.wait_for(alice.export(format="okf"))
    answer = httpx.get(done["download_url"])
    files = read_bundle(answer.content)
    check_bundle(files)

    assert done["row_count"] == len(rows)
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].endswith('.okf.zip"')
    assert [_read_concept(file) for name, file in files.items() if name != "index.md"] == rows


def test_another_validator_finds_nothing_wrong_with_a_bundle(alice: Person, tmp_path: Path) -> None:
    if importlib.util.find_spec("okf") is None:
        pytest.skip("okf-cli is not installed")
    done = alice.wait_for(alice.export(format="okf"))
    with zipfile.ZipFile(io.BytesIO(httpx.get(done["download_url"]).content)) as archive:
        archive.extractall(tmp_path)
    program = str(Path(sys.executable).with_name("okf"))
    verdict = subprocess.run([program, "validate", tmp_path], capture_output=True, check=False)

    files = done["row_count"] + 1
    assert (verdict.returncode, verdict.stderr) == (0, b"")
    assert verdict.stdout.decode().strip() == f"{files} files: {files} ok"


def _read_concept(file: bytes) -> dict[str, Any]:
    """The memory object of a file."""
    front_matter, body = split_concept(file)
    fields = front_matter["memferry"]
    return {
        "id": fields["id"],
        "content": body.decode(),
        "namespace": fields["namespace"],
        "tags": front_matter.get("tags", []),
        "source": fields["source"],
        "source_ref": fields.get("source_ref"),
        "metadata": json.loads(fields["metadata"]) if "metadata" in fields else None,
        "created_at": fields["created_at"],
        "updated_at": fields["updated_at"],
    }


def _parse(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with their metadata as objects."""
    return [
        {**row, "metadata": None if row["metadata"] is None else json.loads(row["metadata"])}
        for row in rows
    ]
