"""`memferry` as a user runs it."""

import os
import subprocess
import sys
from collections.abc import Mapping

from support.people import Person

Done = subprocess.CompletedProcess[bytes]


def run_memferry(
    *arguments: str,
    person: Person | None = None,
    settings: Mapping[str, str] | None = None,
    data: bytes = b"",
) -> Done:
    """Run one command with `data` as standard input; for a client command, as this person."""
    known = (
        {}
        if person is None
        else {"MEMFERRY_URL": str(person.base_url), "MEMFERRY_TOKEN": person.token}
    )
    return subprocess.run(
        [sys.executable, "-m", "memferry", *arguments],
        env=os.environ | known | dict(settings or {}),
        input=data,
        capture_output=True,
        check=False,
        timeout=60,
    )
