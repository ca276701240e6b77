"""Measures memferry against PostgreSQL's own tools, in the same run, and says which goals are met.

./run bench [--rows N] [--rounds N] [--case NAME]... [--long] [--quick] [--list]
"""

import argparse
import signal
import sys
import traceback
from collections.abc import Iterator

from cases import Case, all_cases
from measure import LeftOut, Line
from report import header, row, summary, write
from service import Bench, Options, open_bench
from size import Point

_ROWS, _QUICK_ROWS = 1_000_000, 50_000
_ROUNDS, _QUICK_ROUNDS = 5, 2
_LEAST_ROWS = 20_000


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench", description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add("--rows", type=int, help=f"rows of the large tenant ({_ROWS:,}; quick: {_QUICK_ROWS:,})")
    add("--rounds", type=int, help=f"measured pairs ({_ROUNDS}; quick: {_QUICK_ROUNDS})")
    add(
        "--case", action="append", default=[], help="only cases with this in their name; repeatable"
    )
    add("--long", action="store_true", help="also the cases with ten times the rows")
    add("--quick", action="store_true", help="few rows and rounds: to see that it runs")
    add("--locomo", metavar="DIR", help="LoCoMo's dialogues, for the case of that name")
    add("--locomo-questions", metavar="DIR", help="its questions with their evidence")
    add("--list", action="store_true", help="print the names of the cases")
    given = parser.parse_args()
    if given.rows is not None and given.rows < _LEAST_ROWS:
        parser.error(f"--rows: at least {_LEAST_ROWS}, fewer are not queued")
    return given


def _options(given: argparse.Namespace) -> Options:
    return Options(
        rows=given.rows or (_QUICK_ROWS if given.quick else _ROWS),
        rounds=given.rounds or (_QUICK_ROUNDS if given.quick else _ROUNDS),
        long=given.long,
        quick=given.quick,
        locomo=given.locomo,
        locomo_questions=given.locomo_questions,
    )


def _choose(cases: dict[str, Case], words: list[str]) -> dict[str, Case]:
    wanted = [word.lower() for word in words]
    return {
        name: case
        for name, case in cases.items()
        if not wanted or any(word in name.lower() for word in wanted)
    }


def _lines(name: str, case: Case, bench: Bench) -> Iterator[Line]:
    """The lines of one case; a case that fails does not end the others."""
    try:
        yield from case(bench)
    except LeftOut as why:
        yield Line(case=name, against="", left_out=str(why))
    except Exception as fault:  # noqa: BLE001 - see above
        traceback.print_exc()
        yield Line(case=name, against="", failed=f"{type(fault).__name__}: {fault}"[:200])


def main() -> int:
    """Run the chosen cases; 1 if one of them failed."""
    # Ended from outside it must still stop what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    given = _arguments()
    points: list[Point] = []
    cases = _choose(all_cases(points), given.case)
    if given.list or not cases:
        print("\n".join(all_cases(points)))
        return 0 if given.list else 2
    options = _options(given)
    print(f"seeding {options.rows:,} rows …", file=sys.stderr)
    lines: list[Line] = []
    with open_bench(options) as bench:
        print(header())
        for name, case in cases.items():
            for line in _lines(name, case, bench):
                lines.append(line)
                print(row(line), flush=True)
    print(f"\n{summary(lines)}")
    for path in write(options, lines, points, whole=not given.case):
        print(path)
    return int(any(line.failed for line in lines))


if __name__ == "__main__":
    sys.exit(main())
