"""Waiting for what a test cannot be told of."""

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


def wait_until(look: Callable[[], _T | None], *, seconds: float = 30, every: float = 0.01) -> _T:
    """What `look` answers as soon as that is true; fails when it takes too long."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(every)
    return found
