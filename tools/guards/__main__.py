"""Takes the guards away one at a time and expects a test to fail each time: ./run test-guards.

The work is done in a copy. First the tests must pass there with every guard in place.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from guards.guard import Guard
from guards.lists import ROOT, load_guards

_COPIED = ("src", "tests", "tools", "docs", "pyproject.toml", "README.md", "CHANGELOG.md", "run")
# A test that fails may leave connections open, which would end the run without its summary.
_OPTIONS = ("-q", "-x", "-m", "not ceph", "-p", "no:unraisableexception")
# Some look at the service once more after the test; a test that did not run proves nothing.
_FAILURE = re.compile(r"\b[0-9]+ failed\b|ERROR at teardown of")
_PASSED, _FAILED = 0, 1


@contextmanager
def copy_project() -> Iterator[Path]:
    """A copy of the project, to be damaged."""
    with tempfile.TemporaryDirectory(prefix="memferry-guards-") as name:
        copy = Path(name)
        for part in _COPIED:
            source = ROOT / part
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / part)
        copy.chmod(0o711)
        yield copy


def run_tests(copy: Path, tests: Iterable[str]) -> "subprocess.CompletedProcess[str]":
    """Run tests of a copy up to the first that fails."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", *_OPTIONS, *tests],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def try_without(guard: Guard) -> str:
    """`noticed` if a test fails without the guard; `BROKEN` if what is left does not run at all."""
    with copy_project() as copy:
        file = copy / guard.file
        file.write_text(guard.take_away(file.read_text()))
        result = run_tests(copy, guard.tests)
    if result.returncode == _PASSED:
        return "MISSED"
    if result.returncode == _FAILED and _FAILURE.search(result.stdout):
        return "noticed"
    return "BROKEN"


def print_line(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201 - a script


def main() -> None:
    """Try all guards, or those that the command line chooses."""
    parser = argparse.ArgumentParser(prog="./run test-guards", description=__doc__)
    parser.add_argument("word", nargs="*", help="only guards whose name holds all these words")
    words = parser.parse_args().word
    guards = [guard for guard in load_guards() if all(word in str(guard) for word in words)]
    if not guards:
        sys.exit("no guard has these words in its name")
    with copy_project() as copy:
        result = run_tests(copy, dict.fromkeys(test for guard in guards for test in guard.tests))
    if result.returncode != _PASSED:
        sys.exit(f"{result.stdout}\nthese tests fail with every guard in place")
    noticed = 0
    for guard in guards:
        verdict = try_without(guard)
        noticed += verdict == "noticed"
        print_line(f"{verdict:7}  {guard}")
    print_line(f"{noticed} of {len(guards)} guards are guarded by tests")
    sys.exit(0 if noticed == len(guards) else 1)


if __name__ == "__main__":
    main()
