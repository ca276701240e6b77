"""Exports against psql's COPY of the same rows: queued ones and inline ones."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from measure import Goal, LeftOut, Line, Work, compare, times
from references import OpenPsql, copy_to, csv, json_lines, make_copy_work, make_pipe_work, ndjson
from service import Bench, Client

_INLINE_REPEATS = 50


def make_export_work(client: Client, **body: Any) -> Work:
    """A queued export from POST to completed; it is deleted afterwards."""
    made: list[str] = []
    return Work(
        lambda: made.append(client.export(**body)["id"]),
        lambda: client.delete_export(made.pop()),
    )


def compare_queued_ndjson(bench: Bench) -> Iterator[Line]:
    """Lines of JSON, POST to completed."""
    goal = Goal(case="queued NDJSON", against="psql COPY of row_to_json to a file", most=0.70)
    client, query = bench.client("big"), ndjson(bench.tenant_id("big"))
    _same_bytes(bench, client, query)
    yield compare(
        goal,
        make_export_work(client, format="ndjson"),
        make_copy_work(bench, query),
        bench.options.rounds,
    )


def _same_bytes(bench: Bench, client: Client, query: str) -> None:
    """The reference must write what the export writes, or the comparison says nothing."""
    export = client.export(format="ndjson")
    client.delete_export(export["id"])
    target = bench.home / "reference"
    copy_to(bench, query, target)
    assert export["sha256"] == _sha256(target)
    target.unlink()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def compare_queued_json(bench: Bench) -> Iterator[Line]:
    """One JSON array, POST to completed."""
    goal = Goal(case="queued JSON", against="psql COPY of row_to_json to a file", most=0.75)
    ours = make_export_work(bench.client("big"), format="json")
    theirs = make_copy_work(bench, ndjson(bench.tenant_id("big")))
    yield compare(goal, ours, theirs, bench.options.rounds)


def compare_queued_csv(bench: Bench) -> Iterator[Line]:
    """CSV with CRLF, POST to completed."""
    goal = Goal(case="queued CSV", against="psql COPY CSV of the same columns", most=0.95)
    ours = make_export_work(bench.client("big"), format="csv")
    theirs = make_copy_work(bench, csv(bench.tenant_id("big")))
    yield compare(goal, ours, theirs, bench.options.rounds)


def compare_queued_zstd(bench: Bench) -> Iterator[Line]:
    """Lines of JSON, compressed with zstd at level 1."""
    goal = Goal(case="queued NDJSON, zstd", against="psql COPY | zstd -1 -T0", most=0.80)
    zstd = shutil.which("zstd")
    if zstd is None:
        raise LeftOut("there is no program zstd (Debian: apt-get install zstd)")
    client = bench.client("big")
    body = {"format": "ndjson", "compression": "zstd"}
    status, answer = client.request("POST", "/api/memories/exports", body)
    if status == 400:
        raise LeftOut("the service refuses compression")
    client.delete_export(json.loads(answer)["id"])
    ours = make_export_work(client, **body)
    command = [zstd, "-1", "-T0", "-q", "-c"]
    theirs = make_pipe_work(bench, ndjson(bench.tenant_id("big")), command)
    yield compare(goal, ours, theirs, bench.options.rounds)


def _inline(client: Client) -> None:
    answer = client.post_export(format="ndjson")
    assert b'"status":"completed"' in answer[:200]


def inline_10_000(bench: Bench) -> Iterator[Line]:
    """POST to the last byte of the answer, which holds the rows."""
    goal = Goal(case="inline 10,000 rows", against="psql COPY of the same rows to a file", most=2)
    client = bench.client("few")
    theirs = make_copy_work(bench, ndjson(bench.tenant_id("few")))
    yield compare(goal, Work(lambda: _inline(client)), theirs, bench.options.rounds)


def inline_100(bench: Bench) -> Iterator[Line]:
    """The same for few rows, where only what surrounds them counts."""
    name, note = "inline 100 rows", f"{_INLINE_REPEATS} times in a row"
    select = Goal(case=name, against="the same SELECT in an open psql", most=3, note=note)
    copy = Goal(case=name, against="their COPY in an open psql", most=3, note=note)
    client, tenant_id = bench.client("tiny"), bench.tenant_id("tiny")
    ours = times(_INLINE_REPEATS, lambda: _inline(client))
    for goal, query in ((select, json_lines(tenant_id)), (copy, ndjson(tenant_id))):
        psql = OpenPsql(bench)
        assert psql.run(query) > 0
        theirs = times(_INLINE_REPEATS, partial(psql.run, query))
        yield compare(goal, ours, theirs, bench.options.rounds)
        psql.close()
