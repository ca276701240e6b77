"""The results: a table to read, JSON to keep, a plot to look at."""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from measure import Line
from plot import plot
from service import Options
from size import Point

_RESULTS = Path(__file__).parent / "results"
_HEADER = ("case", "against", "median", "min - max", "goal", "", "ours", "theirs")
_WIDTHS = (42, 40, 15, 17, 7, 5, 12, 12)


def header() -> str:
    """The head of the table."""
    return _row(_HEADER) + "\n" + "-" * len(_row(_HEADER))


def row(line: Line) -> str:
    """One line of the table."""
    if line.left_out or line.failed:
        why = f"left out: {line.left_out}" if line.left_out else f"FAILED: {line.failed}"
        return f"{line.case:{_WIDTHS[0]}}  {why}"
    met = {None: "", True: "ok", False: "miss"}[line.met]
    goal = "report" if line.goal is None else f"{line.goal:g}"
    unit = "" if line.unit == "x" else f" {line.unit}"
    span = f"{min(line.values):.2f} - {max(line.values):.2f}"
    shown = _row(
        (line.case, line.against, f"{line.median:.2f}{unit}", span, goal, met,
         _format_values(line.ours, line.measured), _format_values(line.theirs, line.measured))
    )  # fmt: skip
    return f"{shown}  {line.note}".rstrip()


def _row(cells: Sequence[str]) -> str:
    """Words to the left, numbers to the right."""
    words = [f"{cell:<{width}}" for cell, width in zip(cells[:2], _WIDTHS[:2], strict=True)]
    numbers = [f"{cell:>{width}}" for cell, width in zip(cells[2:], _WIDTHS[2:], strict=True)]
    return "  ".join([*words, *numbers])


def _format_values(values: Sequence[float], unit: str) -> str:
    return f"{median(values):.3f} {unit}" if values else ""


def summary(lines: Sequence[Line]) -> str:
    """How many goals are met, and what is missing."""
    met = [each.met for each in lines if each.met is not None]
    absent = sum(bool(each.left_out) for each in lines)
    failed = sum(bool(each.failed) for each in lines)
    return f"{sum(met)} of {len(met)} goals met, {absent} cases left out, {failed} failed"


def write(
    options: Options, lines: Sequence[Line], points: Sequence[Point], *, whole: bool
) -> Iterator[Path]:
    """Write what was measured; answers the files. Some cases do not replace a run of all."""
    _RESULTS.mkdir(exist_ok=True)
    target = _RESULTS / ("bench.json" if whole else "partial.json")
    results = {
        "options": asdict(options),
        "machine": _machine(),
        "lines": [_describe_line(each) for each in lines],
        "curve": list(points),
    }
    target.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    yield target
    if points:
        picture = _RESULTS / ("cost.svg" if whole else "partial.svg")
        picture.write_text(plot(points), encoding="utf-8")
        yield picture


def _describe_line(line: Line) -> dict[str, Any]:
    middle = line.median if line.values else None
    return asdict(line) | {"median": middle, "met": line.met}


def _machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg(),
        "commit": _commit(),
    }


def _commit() -> str | None:
    """What was measured; unknown outside a checkout."""
    if shutil.which("git") is None:
        return None
    command = ["git", "rev-parse", "HEAD"]
    done = subprocess.run(command, cwd=_RESULTS, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
