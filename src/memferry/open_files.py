"""How many files and connections a process may have open at once."""

import resource
from contextlib import suppress


def raise_open_files_limit() -> None:
    """Raise the soft limit to the hard one, for this process and all that it starts.

    The soft limit is often 1,024 for the sake of programs that use select(2), which counts no
    further (https://0pointer.net/blog/file-descriptor-limits.html); nothing here uses it.
    PostgreSQL opens no more for that: it keeps to its own max_files_per_process.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Where the system allows less than its own limit says, the process goes on with what it has.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
