"""The code that a screen offers for an export: whatever the values hold, it asks for just that."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from memferry.page.export_code import write_command, write_curl, write_python
from support.people import Person

HOSTILE = (
    "plain",
    "-rf --help",
    'it\'s $(touch /tmp/no) `id` "$HOME" \\ !! %s {a,b} *',
    "tab\tline\nreturn\rescape\x1b[2J bell\x07 bidi\u202e zero\u200b \U0001f426 \ud7ff",
    "' ; rm -rf x #",
    "\\n $'x' \\x41\x7f5",
)
METADATA = '{"a\\u202e": 1.50, "b": "it\'s $x \\n \u2028", "n": 12345678901234567890}'


def make_body() -> dict[str, Any]:
    return {
        "format": "ndjson",
        "namespace": "-".join(reversed(HOSTILE)),
        "tags": list(HOSTILE),
        "metadata_filter": Raw(METADATA.encode()),
        "include": ["history"],
        "created_after": 5,
    }


def run(person: Person, command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"MEMFERRY_TOKEN": person.token, "PATH": path}
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def read_requests(person: Person) -> list[Any]:
    """What the exports so far were asked for, in one form."""
    return [
        [export["filters"], export["format"], export["include"]]
        for export in person.get("/api/memories/exports").json()["exports"]
    ]


def test_all_three_ask_for_the_same_export(alice: Person, tmp_path: Path) -> None:
    url, body = str(alice.base_url).rstrip("/"), make_body()
    alice.post("/api/memories/exports", content=msgspec.json.encode(body))
    run(alice, ["sh", "-c", write_curl(url, body)], tmp_path)
    command = write_command(url, body).replace(
        "memferry export", f"{sys.executable} -m memferry export"
    )
    run(alice, ["bash", "-c", command], tmp_path)
    run(alice, [sys.executable, "-c", write_python(url, body)], tmp_path)
    requests = read_requests(alice)

    assert len(requests) == 4
    assert all(request == requests[0] for request in requests)
    assert requests[0][0]["namespace"] == body["namespace"]
    assert json.loads(METADATA) == requests[0][0]["metadata_filter"]


def test_no_terminal_acts_on_what_is_copied() -> None:
    writers = (write_curl, write_command, write_python)
    codes = [write("http://127.0.0.1", make_body()) for write in writers]

    assert all(character == "\n" or character.isprintable() for character in "".join(codes))
