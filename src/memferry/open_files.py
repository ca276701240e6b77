"""The limit of files and connections that a process may have open."""

import resource
from contextlib import suppress


def raise_open_files_limit() -> None:
    """Raise the soft limit to the hard limit, for this process and its children.

    The soft limit is often 1,024 because select(2) handles no more
    (https://0pointer.net/blog/file-descriptor-limits.html); nothing here uses select(2).
    PostgreSQL opens no more files for it, since it has its own max_files_per_process.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems allow less than their hard limit; the process then keeps its limit.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
