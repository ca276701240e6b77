"""Asks the vulnerability service of PyPI about every package that is locked, by pip-audit.

`./run check` runs it. Known vulnerabilities make it fail. A machine that cannot reach the service
goes on, and says that nothing was looked up.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

ROOT = Path(__file__).parent.parent
_LOCKED = ROOT / "requirements/dev.txt"
_SECONDS = 300
_PIN = re.compile(r"^([A-Za-z0-9._-]+==[^\s;\\]+)", re.MULTILINE)


class Unreachable(Exception):
    """The vulnerability service does not answer."""


def ask(pins: list[str]) -> list[dict[str, Any]]:
    """What the service knows of each package; raises Unreachable."""
    with NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(pins))
        file.flush()
        command = [sys.executable, "-m", "pip_audit", "-r", file.name, "--disable-pip"]
        try:
            done = subprocess.run(
                [*command, "--no-deps", "--format", "json", "--progress-spinner", "off"],
                check=False,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
            )
            answer: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
        except subprocess.TimeoutExpired as fault:
            raise Unreachable("no answer in time") from fault
        except ValueError as fault:
            raise Unreachable((done.stderr.strip().splitlines() or ["no answer"])[-1]) from fault
    if all("skip_reason" in each for each in answer):
        raise Unreachable("it knows none of the packages, so it is not PyPI's")
    return answer


def format_lines(answer: list[dict[str, Any]]) -> list[str]:
    """One line per vulnerability, and one per package that could not be looked up."""
    lines = []
    for each in answer:
        if reason := each.get("skip_reason"):
            lines.append(f"{each['name']}: not looked up: {reason}")
        for known in each.get("vulns", []):
            mended = ", ".join(known["fix_versions"]) or "nowhere yet"
            lines.append(f"{each['name']} {each['version']}: {known['id']}, mended in {mended}")
    return lines


def main() -> int:
    """Say what is known; 1 if anything is."""
    pins = _PIN.findall(_LOCKED.read_text())
    try:
        ask(pins[:1])  # one question finds out whether there is anybody to ask
        answer = ask(pins)
    except Unreachable as fault:
        sys.stdout.write(
            f"vulnerabilities: NOT LOOKED UP, the service cannot be reached from here ({fault})\n"
        )
        return 0
    sys.stdout.write("".join(f"{line}\n" for line in format_lines(answer)))
    found = sum(len(each.get("vulns", [])) for each in answer)
    sys.stdout.write(f"vulnerabilities: {found} known in {len(answer)} locked packages\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
