"""Imports against psql's COPY of the same rows into the same table, with the same indexes."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from measure import Goal, Line, Work, compare
from references import copy_to, ndjson
from service import Bench, Client

_COLUMNS = (
    "tenant_id, id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at"
)


def compare_import_ndjson(bench: Bench) -> Iterator[Line]:
    """Lines of JSON into an empty tenant, from the first byte of the upload to completed."""
    goal = Goal(case="import NDJSON", against="psql \\copy of a CSV of the same rows", most=2)
    bench.seed({"imported": 1, "copied": 1})
    client, file, table = bench.client("imported"), bench.home / "rows.ndjson", bench.home / "rows"
    copy_to(bench, ndjson(bench.tenant_id("big")), file)
    copy_to(bench, _select_for(bench, "copied"), table)
    _empty(bench, "imported")
    _empty(bench, "copied")
    ours = Work(lambda: _import(client, file), lambda: _empty(bench, "imported"))
    theirs = Work(lambda: _copy(bench, table), lambda: _empty(bench, "copied"))
    yield compare(goal, ours, theirs, bench.options.rounds)


def _select_for(bench: Bench, name: str) -> str:
    """The rows of the large tenant as they would be another one's."""
    columns = _COLUMNS.replace("tenant_id", f"'{bench.tenant_id(name)}'::uuid", 1)
    return (
        f"COPY (SELECT {columns} FROM memferry.memories "
        f"WHERE tenant_id = '{bench.tenant_id('big')}' ORDER BY created_at, id) "
        "TO STDOUT (FORMAT csv)"
    )


def _import(client: Client, file: Path) -> None:
    job = post_file(client, file)
    while job["status"] in ("pending", "running"):
        time.sleep(0.05)
        job = json.loads(client.good("GET", f"/api/memories/imports/{job['id']}"))
    assert job["status"] == "completed", job
    assert job["report"]["created"] == job["report"]["read"] > 1, job


def post_file(client: Client, file: Path, **options: str) -> dict[str, Any]:
    """Send a file to import; answers what the service said."""
    with file.open("rb") as body:
        status, answer = client.request("POST", f"/api/memories/imports?{urlencode(options)}", body)
    assert status == 201, answer
    job: dict[str, Any] = json.loads(answer)
    return job


def _copy(bench: Bench, table: Path) -> None:
    _run(bench, f"\\copy memferry.memories ({_COLUMNS}) FROM '{table}' (FORMAT csv)")


def _empty(bench: Bench, name: str) -> None:
    """Delete a tenant's memories, and what is left of them in the indexes."""
    of_tenant = f"WHERE tenant_id = '{bench.tenant_id(name)}'"
    _run(bench, f"DELETE FROM memferry.memories {of_tenant}")
    _run(bench, f"DELETE FROM memferry.memory_usage {of_tenant}")
    _run(bench, "VACUUM (ANALYZE) memferry.memories")


def _run(bench: Bench, command: str) -> None:
    done = [str(bench.psql), bench.owner_url, "-Xqc", command]
    subprocess.run(done, check=True, stdout=subprocess.DEVNULL)
