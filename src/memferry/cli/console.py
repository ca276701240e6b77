"""How commands print: text of users is shown as it is, and never read as markup."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from rich.console import Console


def make_console(*, stderr: bool = False) -> Console:
    """A console that prints brackets and colons of a text as they are."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def show_name(name: str) -> str:
    """A name on one line of a terminal: what is not printable is shown as U+FFFD.

    An escape sequence in a name could move the cursor or set the title of the operator's terminal.
    """
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)


@contextmanager
def open_standard_output() -> Iterator[BinaryIO]:
    """Open standard output for bytes, all of which are written, or an OSError is raised.

    Where Python runs unbuffered (PYTHONUNBUFFERED), sys.stdout.buffer may write a part alone.
    """
    sys.stdout.flush()
    with open(sys.stdout.fileno(), "wb", closefd=False) as stream:
        yield stream


def flush_standard_output() -> bool:
    """Write what print() holds back; answers whether somebody still reads it."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more when it ends, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True
