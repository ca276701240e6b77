"""Takes the guards away one at a time, and expects the tests to notice: ./run test-guards.

Each guard is a piece of the source, what stands in its place without it, and the tests that must
fail then. The work is done in a copy. First the tests must pass there with every guard in place.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rules import (
    guards_audit,
    guards_exports,
    guards_hostility,
    guards_jobs,
    guards_limits,
    guards_operation,
    guards_outside,
    guards_standby,
    guards_tenants,
)
from rules.guard import Guard

ROOT = Path(__file__).parents[2]
GUARDS: tuple[Guard, ...] = (
    *guards_jobs.GUARDS,
    *guards_limits.GUARDS,
    *guards_hostility.GUARDS,
    *guards_tenants.GUARDS,
    *guards_audit.GUARDS,
    *guards_exports.GUARDS,
    *guards_operation.GUARDS,
    *guards_outside.GUARDS,
    *guards_standby.GUARDS,
)
_COPIED = ("src", "tests", "docs", "pyproject.toml", "README.md", "CHANGELOG.md", "run")
# A test that fails may leave connections open, which would end the run without its summary.
_OPTIONS = ("-q", "-x", "-m", "not ceph", "-p", "no:unraisableexception")
# Some look at the service once more after the test; one that never came to run has seen nothing.
_SEEN = re.compile(r"\b[0-9]+ failed\b|ERROR at teardown of")
_PASSED, _FAILED = 0, 1


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the project, to be damaged."""
    with tempfile.TemporaryDirectory(prefix="memferry-guards-") as name:
        copy = Path(name)
        for part in _COPIED:
            source = ROOT / part
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / part)
        copy.chmod(0o711)
        yield copy


def tested(copy: Path, tests: Iterable[str]) -> "subprocess.CompletedProcess[str]":
    """Run tests of a copy up to the first that fails."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", *_OPTIONS, *tests],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def verdict(guard: Guard) -> str:
    """`noticed` if a test fails without the guard; `BROKEN` if what is left does not run at all."""
    with copied() as copy:
        file = copy / guard.file
        text = file.read_text()
        if guard.text not in text:
            return "GONE"
        file.write_text(text.replace(guard.text, guard.without))
        done = tested(copy, guard.tests)
    if done.returncode == _PASSED:
        return "MISSED"
    if done.returncode == _FAILED and _SEEN.search(done.stdout):
        return "noticed"
    return "BROKEN"


def say(line: str) -> None:
    """Tell it at once."""
    print(line, flush=True)  # noqa: T201 - a script


def main() -> None:
    """Try all guards, or those whose name holds all of the given words."""
    chosen = [each for each in GUARDS if all(word in str(each) for word in sys.argv[1:])]
    if not chosen:
        sys.exit("no guard has these words in its name")
    with copied() as copy:
        done = tested(copy, dict.fromkeys(test for each in chosen for test in each.tests))
    if done.returncode != _PASSED:
        sys.exit(f"{done.stdout}\nthese tests fail with every guard in place")
    noticed = 0
    for guard in chosen:
        found = verdict(guard)
        noticed += found == "noticed"
        say(f"{found:7}  {guard}")
    say(f"{noticed} of {len(chosen)} guards are guarded by tests")
    sys.exit(0 if noticed == len(chosen) else 1)


if __name__ == "__main__":
    main()
