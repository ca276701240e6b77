"""How many times slower what people use today is than an export that is downloaded to a file."""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from measure import Goal, LeftOut, Line, line
from seed import START_MS
from service import Bench, Client

_SHARE = 10
_LEAST_ROWS = 10_001
_SCRIPT = Path(__file__).with_name("today.py")
WAYS = {
    "paging": ("psycopg + json.dumps, by offset", ("psycopg",)),
    "pandas": ("SQLAlchemy + pandas", ("sqlalchemy", "pandas", "psycopg")),
    "arrow": ("ADBC + Arrow + polars", ("adbc_driver_postgresql", "pyarrow", "polars")),
}


def make_slower_case(way: str) -> Callable[[Bench], Iterator[Line]]:
    """The case of one way; fewer rows, since paging by offset costs their square."""

    def case(bench: Bench) -> Iterator[Line]:
        name, modules = WAYS[way]
        missing = [each for each in modules if importlib.util.find_spec(each) is None]
        if missing:
            raise LeftOut(f"not installed (requirements/bench.txt): {', '.join(missing)}")
        rows = max(bench.options.rows // _SHARE, _LEAST_ROWS)
        client = bench.client("big")
        pairs = [
            (_script(bench, way, rows), _time_download(bench, client, rows))
            for _ in range(bench.options.rounds + 1)
        ]
        goal = Goal(case=f"today: {name}", against="memferry, with the download")
        yield line(goal, pairs[1:], note=f"{rows:,} rows")

    return case


def _script(bench: Bench, way: str, rows: int) -> float:
    os.sync()
    target = bench.home / "today"
    arguments = [way, bench.owner_url, str(bench.tenant_id("big")), str(rows), str(target)]
    command = [sys.executable, str(_SCRIPT), *arguments]
    taken = float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    _check(target, rows)
    return taken


def _time_download(bench: Bench, client: Client, rows: int) -> float:
    os.sync()
    target = bench.home / "today"
    started = time.perf_counter()
    export = client.export(format="ndjson", created_before=START_MS + rows)
    client.download(export, target)
    taken = time.perf_counter() - started
    client.delete_export(export["id"])
    _check(target, rows)
    return taken


def _check(target: Path, rows: int) -> None:
    """Both must have written all rows, one a line."""
    with target.open("rb") as file:
        found = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    assert found == rows, (found, rows)
    target.unlink()
