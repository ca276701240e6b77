"""Exports as Parquet against DuckDB, which reads the same rows by its own reader of PostgreSQL."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from exports import make_export_work
from measure import Goal, LeftOut, Line, line, seconds
from service import Bench
from size import compare_memory

_SCRIPT = Path(__file__).with_name("duck.py")
_MODULES = ("pyarrow", "duckdb", "duckdb_extensions")


def compare_queued_parquet(bench: Bench) -> Iterator[Line]:
    """Typed columns, POST to completed, and the memory of both."""
    missing = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise LeftOut(f"not installed (requirements/bench.txt): {', '.join(missing)}")
    ours = make_export_work(bench.client("big"), format="parquet")
    seconds(ours)
    _write_by_duckdb(bench)
    pairs, peaks = [], []
    for _ in range(bench.options.rounds):
        taken, peak_mb = _write_by_duckdb(bench)
        pairs.append((seconds(ours), taken))
        peaks.append(peak_mb)
    goal = Goal(case="queued Parquet", against="DuckDB, PostgreSQL to Parquet, zstd", most=1)
    yield line(goal, pairs, note=f"DuckDB takes {median(peaks):,.0f} MB")
    yield compare_memory(bench, "big", bench.options.rows, bench.options.rounds, "parquet")


def _write_by_duckdb(bench: Bench) -> tuple[float, float]:
    """How many seconds it takes, and how many MB at most."""
    target = bench.home / "duck.parquet"
    arguments = [bench.owner_url, str(bench.tenant_id("big")), str(target)]
    os.sync()
    done = subprocess.run(
        [sys.executable, str(_SCRIPT), *arguments], stdout=subprocess.PIPE, check=True
    )
    target.unlink()
    taken, peak_mb = map(float, done.stdout.split())
    return taken, peak_mb
