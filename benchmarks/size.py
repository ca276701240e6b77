"""What the number of rows costs: memory of the worker, time per row, and the curve of the plot."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import TypedDict

from exports import make_export_work
from measure import Goal, LeftOut, Line, Work, line, seconds
from references import copy_to, ndjson
from seed import START_MS
from service import Bench, Client

_MEMORY_GOAL_MB = 64
_IDLE_SECONDS = 3
_LONG_FACTOR = 10
_LONG_ROUNDS = 3
_SMALLEST = 100
_INLINE_ROWS = 10_000


class Point(TypedDict):
    """The seconds of one number of rows."""

    rows: int
    ours: float
    theirs: float


def worker_memory(bench: Bench) -> Iterator[Line]:
    """The worker's highest memory in one export, above what a fresh one has at rest."""
    yield compare_memory(bench, "big", bench.options.rows, bench.options.rounds)


def worker_memory_long(bench: Bench) -> Iterator[Line]:
    """The same with ten times the rows; and the two peaks compared."""
    _need_long(bench)
    big = compare_memory(bench, "big", bench.options.rows, _LONG_ROUNDS)
    huge = compare_memory(bench, "huge", bench.options.rows * _LONG_FACTOR, _LONG_ROUNDS)
    yield huge
    goal = Goal(case="worker memory, 10 times the rows", against="its peak with the rows", most=1.1)
    yield line(goal, list(zip(huge.ours, big.ours, strict=True)), "MB")


def compare_memory(
    bench: Bench, tenant: str, rows: int, rounds: int, file_format: str = "ndjson"
) -> Line:
    """The worker's highest memory in an export of these rows, and at rest."""
    client = bench.client(tenant)
    measured = [_idle_and_peak(bench, client, file_format) for _ in range(rounds)]
    return Line(
        case=f"worker memory, {rows:,} rows, {file_format}",
        against="the same worker at rest",
        values=[peak - idle for idle, peak in measured],
        unit="MB more",
        goal=_MEMORY_GOAL_MB,
        ours=[peak for _, peak in measured],
        theirs=[idle for idle, _ in measured],
        measured="MB",
    )


def _idle_and_peak(bench: Bench, client: Client, file_format: str) -> tuple[float, float]:
    """In a worker of its own: what an export before has left behind must not count as rest."""
    pid = bench.renew_worker()
    time.sleep(_IDLE_SECONDS)
    idle = _highest_mb(pid)
    export = client.export(format=file_format)
    client.delete_export(export["id"])
    assert bench.worker_pid() == pid
    return idle, _highest_mb(pid)


def _highest_mb(pid: int) -> float:
    """As Linux counts it (VmHWM)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(each.split()[1]) / 1024 for each in lines if each.startswith("VmHWM"))


def ten_times_the_rows(bench: Bench) -> Iterator[Line]:
    """Ten times the rows must take ten times as long."""
    _need_long(bench)
    rows = bench.options.rows
    goal = Goal(case=f"{rows * _LONG_FACTOR:,} rows", against=f"10 times {rows:,} rows", most=1.05)
    huge = make_export_work(bench.client("huge"), format="ndjson")
    big = make_export_work(bench.client("big"), format="ndjson")
    pairs = [(seconds(huge), seconds(big) * _LONG_FACTOR) for _ in range(_LONG_ROUNDS)]
    yield line(goal, pairs)


def _need_long(bench: Bench) -> None:
    if not bench.options.long:
        raise LeftOut("takes long: ask for it with --long")
    bench.seed({"huge": bench.options.rows * _LONG_FACTOR}, searched=False)


def curve(bench: Bench, points: list[Point]) -> Iterator[Line]:
    """Ours and psql's seconds for growing numbers of rows; the points are for the plot."""
    client = bench.client("big")
    for rows in _sizes(bench.options.rows):
        goal = Goal(case=f"NDJSON, {rows:,} rows", against="psql COPY of the same rows to a file")
        pairs = [_pair(bench, client, rows) for _ in range(bench.options.rounds + 1)]
        found = line(goal, pairs[1:])
        points.append(Point(rows=rows, ours=median(found.ours), theirs=median(found.theirs)))
        yield found


def _pair(bench: Bench, client: Client, rows: int) -> tuple[float, float]:
    target = bench.home / "reference"
    body = {"format": "ndjson", "created_before": START_MS + rows}
    if rows <= _INLINE_ROWS:
        ours = Work(lambda: client.post_export(**body))
    else:
        ours = make_export_work(client, **body)
    query = ndjson(bench.tenant_id("big"), rows)
    theirs = Work(lambda: copy_to(bench, query, target), target.unlink)
    return seconds(ours), seconds(theirs)


def _sizes(rows: int) -> list[int]:
    """Powers of ten and their halves up to the number of rows, and that number itself."""
    sizes, size = [], _SMALLEST
    while size < rows:
        sizes += [each for each in (size, size * 5) if each < rows]
        size *= 10
    return [*sizes, rows]
