"""Saving and listing: against bare statements, and while large exports run."""

import json
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from measure import Goal, Line, Work, compare, line, times
from memferry.database.sql import sql
from memferry.filters.orders import NEWEST
from memferry.memories.rows import RENDERED_BYTES
from memferry.model.identity import new_memory_ids
from references import bare
from seed import memory
from service import Bench, Client

_REPEATS = 100
_BULK_ROWS = 10_000
_LISTED = 50
_PAUSE_SECONDS = 0.005
_P99_SECONDS = 6.0
# What the answer of an unfinished export says. To ask all the time would load the API by itself.
_RETRY_AFTER_SECONDS = 1.0
_QUICK_SECONDS = 1.5
_INSERT = """
INSERT INTO memferry.memories
    (tenant_id, id, content, namespace, tags, source, metadata, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_COLUMNS = (
    "tenant_id", "id", "content", "namespace", "tags", "source", "metadata", "created_at",
    "updated_at",
)  # fmt: skip


def save_one(bench: Bench) -> Iterator[Line]:
    """POST /api/memories."""
    goal = Goal(case="save one", against="INSERT", most=3.5, note=f"{_REPEATS} times in a row")
    chance, client, owner = random.Random(2), bench.client("other"), bench.owner()

    def insert() -> None:
        bench.run(owner.execute(_INSERT, *_record(client, memory(chance))))

    ours = times(_REPEATS, lambda: client.good("POST", "/api/memories", memory(chance)))
    yield compare(goal, ours, times(_REPEATS, insert), bench.options.rounds)
    bench.run(owner.close())


def _record(client: Client, new: dict[str, Any]) -> tuple[Any, ...]:
    """The columns of one new memory, as the owner would write them."""
    (memory_id,) = new_memory_ids(1)
    now = int(time.time() * 1000)
    values = (new["content"], new["namespace"], new["tags"], new["source"])
    return client.tenant_id, memory_id, *values, json.dumps(new["metadata"]), now, now


def save_many(bench: Bench) -> Iterator[Line]:
    """POST /v1/memories/bulk; what is sent is made ready before the clock starts."""
    goal = Goal(case="save 10,000 at once", against="COPY into the table", most=1.5)
    chance, client, owner = random.Random(3), bench.client("other"), bench.owner()
    items = [memory(chance) for _ in range(_BULK_ROWS)]
    body = json.dumps({"items": items}).encode()
    records = [_record(client, each) for each in items]

    def copy() -> None:
        copying = owner.copy_records_to_table(
            "memories", schema_name="memferry", columns=_COLUMNS, records=records
        )
        bench.run(copying)

    def renew() -> None:
        records[:] = [_record(client, each) for each in items]

    ours = Work(lambda: client.good("POST", "/v1/memories/bulk", body))
    yield compare(goal, ours, Work(copy, renew), bench.options.rounds)
    bench.run(owner.close())


def list_newest(bench: Bench) -> Iterator[Line]:
    """GET /api/memories."""
    path = f"/api/memories?limit={_LISTED}"
    statement = NEWEST.fill(sql("memories/list_memories"))
    yield _read(bench, "list", path, statement, [_LISTED, 0, RENDERED_BYTES, *NEWEST.start])


def _read(bench: Bench, name: str, path: str, statement: Any, arguments: list[Any]) -> Line:
    goal = Goal(case=name, against="SELECT", most=4.0, note=f"{_REPEATS} times in a row")
    client, owner = bench.client("big"), bench.owner()
    bench.run(owner.execute("SET search_path = memferry_service; SET jit = off"))
    query = bare(statement, client.tenant_id).replace("{filters}", "TRUE")
    ours = times(_REPEATS, lambda: client.good("GET", path))
    theirs = times(_REPEATS, lambda: bench.run(owner.fetch(query, *arguments)))
    found = compare(goal, ours, theirs, bench.options.rounds)
    bench.run(owner.close())
    return found


def p99_beside_exports(bench: Bench) -> Iterator[Line]:
    """How long the slowest hundredth of saves and lists takes while two large exports run."""
    span = _QUICK_SECONDS if bench.options.quick else _P99_SECONDS
    alone, beside = [], []
    _both(bench, 1.0)
    for _ in range(bench.options.rounds):
        alone.append(_both(bench, span))
        with _two_exports(bench):
            beside.append(_both(bench, span))
    for number, name in enumerate(("save", "list")):
        goal = Goal(case=f"p99 of {name} while 2 exports run", against="p99 without", most=1.5)
        pairs = [(b[number] * 1000, a[number] * 1000) for b, a in zip(beside, alone, strict=True)]
        yield line(goal, pairs, "ms")


def _both(bench: Bench, span: float) -> tuple[float, float]:
    """The p99 of saves and of lists, in seconds, when both come steadily for a while."""
    chance = random.Random(4)
    saving, listing = bench.client("other"), bench.client("other")
    save: list[float] = []
    shown: list[float] = []
    threads = [
        _repeat_work(span, save, lambda: saving.good("POST", "/api/memories", memory(chance))),
        _repeat_work(span, shown, lambda: listing.good("GET", f"/api/memories?limit={_LISTED}")),
    ]
    for each in threads:
        each.join()
    return statistics.quantiles(save, n=100)[98], statistics.quantiles(shown, n=100)[98]


def _repeat_work(span: float, taken: list[float], work: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        until = time.perf_counter() + span
        while (started := time.perf_counter()) < until:
            work()
            taken.append(time.perf_counter() - started)
            time.sleep(_PAUSE_SECONDS)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@contextmanager
def _two_exports(bench: Bench) -> Iterator[None]:
    """Two exports of the large tenant run all the time in here."""
    enough = threading.Event()
    threads = [threading.Thread(target=_keep_exporting, args=(bench, enough)) for _ in range(2)]
    for each in threads:
        each.start()
    time.sleep(0.2)
    try:
        yield
    finally:
        enough.set()
        for each in threads:
            each.join()


def _keep_exporting(bench: Bench, enough: threading.Event) -> None:
    client = bench.client("big")
    while not enough.is_set():
        export = client.export(format="ndjson", poll_seconds=_RETRY_AFTER_SECONDS)
        client.delete_export(export["id"])
