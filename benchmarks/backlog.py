"""Many exports of many tenants: how well two workers share them, and who waits for whom."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from exports import make_export_work
from measure import Goal, Line, Work, line, seconds
from service import Bench

_TENANTS = 8
_FIRST_QUEUES = 20
_OTHERS_QUEUE = 20
_WORKERS = 2
_SINGLES = 3
# In flight when the others come: two workers run two exports each. Then one of every tenant.
_FAIR_RANK = 4 + _TENANTS
_POLL_SECONDS = 0.05
_UNFINISHED = """
SELECT count(*) FROM memferry.jobs WHERE status IN ('pending', 'running')
"""
_FINISHED = """
SELECT tenant_id FROM memferry.jobs
WHERE tenant_id = ANY ($1) AND status = 'completed' ORDER BY completed_at, id
"""


def compare_backlog(bench: Bench) -> Iterator[Line]:
    """One tenant queues 20 exports, then seven others queue 20 between them."""
    rows = max(bench.options.rows // 20, 10_001)
    names = [f"crowd-{number}" for number in range(_TENANTS)]
    bench.seed(dict.fromkeys(names, rows))
    pairs, ranks, busy = [], [], 0.0
    with bench.run_another_worker():
        _queue_all(bench, names)
        for _ in range(bench.options.rounds):
            single, busy = _single(bench, names)
            taken, rank = _queue_all(bench, names)
            pairs.append((taken, single * (_FIRST_QUEUES + _OTHERS_QUEUE) / _WORKERS))
            ranks.append(rank)
    goal = Goal(
        case=f"40 exports of {_TENANTS} tenants, {_WORKERS} workers",
        against="sum of the single times / 2",
        most=1.15,
    )
    # Two workers cannot be twice as fast where one export takes more than half of the machine.
    note = f"{rows:,} rows each; one alone keeps {busy:.1f} of {os.cpu_count()} cores busy"
    yield line(goal, pairs, note=note)
    yield Line(
        case="the last small tenant's first export",
        against="after 20 queued by another",
        values=[float(each) for each in ranks],
        unit="th to end",
        goal=_FAIR_RANK,
    )


def _single(bench: Bench, names: list[str]) -> tuple[float, float]:
    """The mean time of an export that has everything for itself, and the cores it keeps busy."""
    works = [make_export_work(bench.client(name), format="ndjson") for name in names[:_SINGLES]]
    taken, worked = 0.0, 0.0
    for each in works:
        before = _read_busy_seconds()
        taken += seconds(each)
        worked += _read_busy_seconds() - before
    return taken / _SINGLES, worked / taken


def _read_busy_seconds() -> float:
    """Seconds that all cores have worked since the machine started (man 5 proc_stat)."""
    _, *spent = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()
    user, nice, system, _idle, _iowait, *interrupts = map(int, spent[:7])
    return sum((user, nice, system, *interrupts)) / os.sysconf("SC_CLK_TCK")


def _queue_all(bench: Bench, names: list[str]) -> tuple[float, int]:
    """Seconds until all have ended, and the place in which the last small tenant got its first."""
    tenants = [bench.tenant_id(name) for name in names]
    owner = bench.owner()

    def do() -> None:
        first, *others = (bench.client(name) for name in names)
        for _ in range(_FIRST_QUEUES):
            first.post_export(format="ndjson")
        for number in range(_OTHERS_QUEUE):
            others[number % len(others)].post_export(format="ndjson")
        while bench.run(owner.fetchval(_UNFINISHED)):
            time.sleep(_POLL_SECONDS)

    taken = seconds(Work(do))
    order = [each["tenant_id"] for each in bench.run(owner.fetch(_FINISHED, tenants))]
    assert len(order) == _FIRST_QUEUES + _OTHERS_QUEUE, "an export has failed"
    rank = max(order.index(each) for each in tenants[1:]) + 1
    _clear(bench, names)
    bench.run(owner.close())
    return taken, rank


def _clear(bench: Bench, names: list[str]) -> None:
    """Remove the exports with their files."""
    for name in names:
        client = bench.client(name)
        for each in json.loads(client.good("GET", "/api/memories/exports"))["exports"]:
            client.delete_export(each["id"])
