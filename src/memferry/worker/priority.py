"""Background work gives way: where processors are few, who waits for an answer comes first."""

import os
from contextlib import suppress
from pathlib import Path


def give_way(nice: int, process: int = 0) -> None:
    """Let a process on this machine, by default this one, run with that nice value, or its own.

    It is never hurried. One that is gone, or is not ours to change, stays as it is.

    Linux may weigh sessions against each other before processes (sched(7), "The autogroup
    feature"), so the session of a process that leads one gets the value too: a worker leads its
    own, and so does each process of PostgreSQL.
    """
    with suppress(OSError):
        nice = max(nice, os.getpriority(os.PRIO_PROCESS, process))
        os.setpriority(os.PRIO_PROCESS, process, nice)
        if os.getsid(process) == (process or os.getpid()):
            Path(f"/proc/{process or 'self'}/autogroup").write_text(f"{nice}", encoding="ascii")
