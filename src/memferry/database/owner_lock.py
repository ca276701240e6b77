"""The lock of the process that owns the embedded server; it ends with the process."""

import fcntl
import os
import time
from pathlib import Path
from typing import IO

from memferry.errors import EmbeddedPostgresFailed

# A command such as `token create` owns the server only for a moment.
_WAIT_SECONDS = 5
_PAUSE_SECONDS = 0.1


class OwnerLock:
    """The file `owner.lock` below `home`: its owner locks it and writes its process id into it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._path = home / "owner.lock"
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take the lock, unless we have it already.

        Raises EmbeddedPostgresFailed with the owner's process id if it keeps the lock for 5 s.
        """
        if self._file is not None:
            return
        file = open(self._path, "a+", encoding="ascii", opener=open_private)  # noqa: SIM115 - held while we own
        deadline = time.monotonic() + _WAIT_SECONDS
        while not _try_lock(file):
            if time.monotonic() > deadline:
                file.seek(0)
                owner = file.read().strip()
                file.close()
                raise EmbeddedPostgresFailed(
                    f"another memferry (process {owner or 'unknown'}) already runs the "
                    f"database in {self._home}; stop it, or choose another data directory"
                )
            time.sleep(_PAUSE_SECONDS)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Release the lock; does nothing if we do not have it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def is_held(self) -> bool:
        """Whether a process has the lock; creates nothing."""
        try:
            with self._path.open(encoding="ascii") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except (FileNotFoundError, NotADirectoryError):
            return False
        return False


def open_private(path: str, flags: int) -> int:
    """Open a file (`opener=` of `open`) such that a new one is readable by its owner alone."""
    return os.open(path, flags, 0o600)


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
