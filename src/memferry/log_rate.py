"""A limit on repeated warnings, so that no client fills the disk with log lines."""

import logging
import math
import threading
import time
from collections.abc import Callable, Hashable, Mapping

_SECONDS = 10
_KEPT = 256
# The loggers that a request without a token can make write. Lines of other loggers are about work
# of a token's holder, or about a change, and are all kept.
_EVENTS = {"memferry.request.failed", "memferry.token.refused", "memferry.answer.cut"}
_LOGGERS = frozenset({*_EVENTS, "uvicorn.error", "asyncio"})


class LogRate(logging.Filter):
    """Passes one warning of a kind in 10 seconds; the next one says how many were left out.

    A kind is a logger, the first line of the message before formatting, and the types of the
    exceptions in it. Lines below WARNING and lines of other loggers all pass.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        # By kind: the time of the last line that passed, and the number of lines since; the oldest
        # first.
        self._kinds: dict[Hashable, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line goes into the log."""
        if record.levelno < logging.WARNING or record.name not in _LOGGERS:
            return True
        with self._lock:
            left_out = self._count(_find_kind(record))
        if left_out:
            record.msg = (
                f"{record.msg} ({left_out:,} more like it were left out in the {_SECONDS} s "
                "after the last one)"
            )
        return left_out is not None

    def _count(self, kind: Hashable) -> int | None:
        """The number of lines left out since the last one; None: leave this one out as well."""
        now = self._clock()
        last, left_out = self._kinds.get(kind, (-math.inf, 0))
        if now - last < _SECONDS:
            self._kinds[kind] = (last, left_out + 1)
            return None
        self._kinds.pop(kind, None)
        if len(self._kinds) >= _KEPT:
            del self._kinds[next(iter(self._kinds))]
        self._kinds[kind] = (now, 0)
        return left_out


def _find_kind(record: logging.LogRecord) -> Hashable:
    arguments = record.args.values() if isinstance(record.args, Mapping) else record.args or ()
    faults = [type(value) for value in arguments if isinstance(value, BaseException)]
    raised = record.exc_info[0] if record.exc_info else None
    return record.name, str(record.msg).partition("\n")[0], raised, *faults
