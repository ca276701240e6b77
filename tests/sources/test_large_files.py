"""Files of any size are read in bounded memory: 24 MiB here, 2 GiB with --full."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

_READ = """
import resource, sys
from pathlib import Path
from memferry.sources import SOURCES, ReadOptions, open_bundle
from support.source_files import Notes

def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

before, records, path = peak(), 0, Path(sys.argv[1])
with open_bundle([("file", path)], path.parent) as bundle:
    for source, part in SOURCES.assign(bundle, Notes()):
        records += sum(1 for _ in source.read(part, ReadOptions(), Notes()))
print(records, peak() - before)
"""
ROW = {
    "id": "0195b1c2-aaaa-7bbb-8ccc-000000000001",
    "content": "Green tea before noon. " * 40,
    "namespace": "default",
    "tags": ["tea"],
    "source": "agent",
    "source_ref": None,
    "metadata": {"confidence": 0.9, "deep": [[[[[]]]]]},
    "created_at": 1735689600000,
    "updated_at": 1735689600000,
}


def write_lines(file: IO[bytes], rows: int) -> None:
    """NDJSON."""
    for _ in range(rows):
        file.write(json.dumps(ROW).encode() + b"\n")


def write_list(file: IO[bytes], rows: int) -> None:
    """One list, with all in one line."""
    file.write(b"[" + json.dumps(ROW).encode())
    for _ in range(rows - 1):
        file.write(b"," + json.dumps(ROW).encode())
    file.write(b"]")


def write_object(file: IO[bytes], rows: int) -> None:
    """A list of another store within an object, indented."""
    row = json.dumps({"memory": ROW["content"], "more": ROW}, indent=2).encode()
    file.write(b'{"results": [' + row)
    for _ in range(rows - 1):
        file.write(b", " + row)
    file.write(b"]}")


def write_table(file: IO[bytes], rows: int) -> None:
    """CSV."""
    file.write(b"id,content\r\n")
    for _ in range(rows):
        file.write(f'{ROW["id"]},"{ROW["content"]}"\r\n'.encode())


@pytest.fixture
def mebibytes(request: pytest.FixtureRequest) -> int:
    """About how large the files are."""
    return 2048 if request.config.getoption("--full") else 24


@pytest.mark.parametrize("write", [write_lines, write_list, write_object, write_table])
@pytest.mark.parametrize("open_file", [open, gzip.open])
def test_a_large_file_takes_little_memory(
    tmp_path: Path, mebibytes: int, write: Callable[[IO[bytes], int], None], open_file: Any
) -> None:
    path, rows = tmp_path / "file", mebibytes * 1024
    with open_file(path, "wb") as file:
        write(file, rows)
    result = subprocess.run(
        [sys.executable, "-c", _READ, str(path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    records, memory = map(int, result.stdout.split())

    assert records == rows
    assert memory < 40
