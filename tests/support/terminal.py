"""A command on a terminal of 80 columns, as a person sees it."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from contextlib import suppress

from support.people import Person

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def run_on_terminal(
    *arguments: str, person: Person, settings: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run one command; its exit status, and what it wrote without the control sequences."""
    known = {"MEMFERRY_URL": str(person.base_url), "MEMFERRY_TOKEN": person.token}
    terminal, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "memferry", *arguments],
        env=os.environ | known | {"TERM": "xterm"} | dict(settings or {}),
        stdin=inner,
        stdout=inner,
        stderr=inner,
    )
    os.close(inner)
    text = b""
    with suppress(OSError):  # the other end is closed when the command has ended
        while data := os.read(terminal, 65536):
            text += data
    os.close(terminal)
    return process.wait(60), _CONTROL.sub("", text.decode())
