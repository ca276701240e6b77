"""The data directory: made in one place, and handed to the user as whom PostgreSQL runs."""

import os
from pathlib import Path

from memferry.database.binaries import Account
from memferry.errors import EmbeddedPostgresFailed

# What may lie in a data directory before the embedded server does.
_STORE = "exports"


def make_data_directory(path: Path, account: Account | None) -> None:
    """Make a data directory that is missing, and see that the server's user can enter it.

    Parents that are missing are made too; those that exist are left as they are. As root the
    directory belongs to that user afterwards, also one of root's own with nothing in it but a
    store of ours. Raises EmbeddedPostgresFailed for a directory that the user cannot enter.
    """
    make_directories(path, account)
    if account is None:
        return
    _require_way(path, account)
    if account.can_enter(path):
        return
    if path.stat().st_uid != os.geteuid() or any(child.name != _STORE for child in path.iterdir()):
        raise EmbeddedPostgresFailed(
            f"the user {account.name!r}, as whom PostgreSQL runs, cannot enter {path}, which holds "
            f"files that are not ours; hand it over (chown {account.name} {path}), or choose an "
            "empty data directory (MEMFERRY_DATA_DIR)"
        )
    os.chown(path, account.uid, account.gid)


def make_directories(path: Path, account: Account | None) -> None:
    """Make a directory and its missing parents; as root they belong to the server's user."""
    missing = [parent for parent in (path, *path.parents) if not parent.exists()]
    for directory in reversed(missing):
        directory.mkdir(mode=0o700, exist_ok=True)
        if account is not None:
            os.chown(directory, account.uid, account.gid)


def _require_way(path: Path, account: Account) -> None:
    """Raise unless the server's user can get to a directory; nobody else's modes are changed."""
    for parent in reversed(path.absolute().parents):
        if not account.can_enter(parent):
            raise EmbeddedPostgresFailed(
                f"the user {account.name!r}, as whom PostgreSQL runs, cannot enter {parent}, which "
                f"leads to {path}; choose a data directory that every user can get to, such as "
                "/var/lib/memferry (MEMFERRY_DATA_DIR)"
            )
