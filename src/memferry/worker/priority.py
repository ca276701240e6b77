"""Background work gives way: where processors are few, who waits for an answer comes first."""

import ctypes
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

# The numbers of sched_setattr, which the standard library does not have.
_SYSTEM_CALLS = {"x86_64": 314, "aarch64": 274, "riscv64": 274}
_NORMAL = 0
# What counts is that it is longer than the default of some 3 ms.
_SLICE_NS = 20_000_000


class _Attributes(ctypes.Structure):
    """`struct sched_attr` in its first version (sched_setattr(2))."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


def give_way(nice: int, process: int = 0) -> None:
    """Let a process on this machine, by default this one, run with that nice value, or its own.

    It is never hurried. One that is gone, or is not ours to change, stays as it is.

    Linux may weigh sessions against each other before processes (sched(7), "The autogroup
    feature"), so the session of a process that leads one gets the value too: a worker leads its
    own, and so does each process of PostgreSQL.
    """
    with suppress(OSError):
        nicer = max(nice, os.getpriority(os.PRIO_PROCESS, process))
        os.setpriority(os.PRIO_PROCESS, process, nicer)
        if nice > 0:
            _let_others_interrupt(nicer, process)
        if os.getsid(process) == (process or os.getpid()):
            Path(f"/proc/{process or 'self'}/autogroup").write_text(f"{nicer}", encoding="ascii")


def _let_others_interrupt(nice: int, process: int) -> None:
    """Let whoever wakes up run at once in the place of a process.

    Linux lets a process finish its slice, however nice it is, unless one that wakes up has a
    shorter one. Since version 6.12 the slice may be chosen; older ones take no notice.
    """
    number = _SYSTEM_CALLS.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return
    if os.sched_getscheduler(process) == os.SCHED_OTHER:
        wanted = _Attributes(
            size=ctypes.sizeof(_Attributes), policy=_NORMAL, nice=nice, runtime=_SLICE_NS
        )
        ctypes.CDLL(None).syscall(number, process, ctypes.byref(wanted), 0)
