"""The data directory: creates it, and gives it to the system user that PostgreSQL runs as."""

import os
from pathlib import Path

from memferry.database.binaries import Account
from memferry.errors import EmbeddedPostgresFailed, Misconfigured

# The name of our object store, which may stand in a data directory before the embedded server.
_STORE = "exports"


def make_data_directory(path: Path, account: Account | None) -> None:
    """Create a data directory with its missing parents, and check that the server can enter it.

    Existing parents are left as they are. As root a new directory belongs to the server's user; an
    existing one that the user cannot enter is given to it if it is empty or holds nothing but our
    object store. Raises Misconfigured if the directory cannot be created, and
    EmbeddedPostgresFailed if it cannot be given away.
    """
    try:
        if account is not None:
            _require_way(path, account)
        _make_missing(path, account)
        if account is not None and not account.can_enter(path):
            _hand_over(path, account)
    except OSError as fault:
        reason = "Not a directory" if isinstance(fault, FileExistsError) else fault.strerror
        raise Misconfigured(
            f"the data directory {path} cannot be used: {reason}; choose another "
            "(MEMFERRY_DATA_DIR)"
        ) from fault


def _require_way(path: Path, account: Account) -> None:
    """Raise EmbeddedPostgresFailed unless the server's user can enter every existing parent."""
    for parent in reversed(path.absolute().parents):
        if parent.exists() and not account.can_enter(parent):
            raise EmbeddedPostgresFailed(
                f"the user {account.name!r}, as whom PostgreSQL runs, cannot enter {parent}, which "
                f"leads to {path}; choose a data directory below one that every user can enter "
                "(MEMFERRY_DATA_DIR)"
            )


def _make_missing(path: Path, account: Account | None) -> None:
    """Create a directory and its missing parents; as root they belong to the server's user."""
    missing = [directory for directory in (path, *path.parents) if not directory.exists()]
    for directory in reversed(missing):
        directory.mkdir(mode=0o700, exist_ok=True)
        if account is not None:
            os.chown(directory, account.uid, account.gid)


def _hand_over(path: Path, account: Account) -> None:
    """Give an empty directory to the server's user.

    It is checked and changed through one descriptor: by its path, another user who may write to its
    parent could exchange it in between.
    """
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with os.scandir(directory) as entries:
            others = sorted(entry.name for entry in entries if not _is_store(entry))
        if others:
            raise EmbeddedPostgresFailed(
                f"the user {account.name!r}, as whom PostgreSQL runs, cannot enter {path}, which "
                f"holds {others[0]!r}; hand it over (chown {account.name} {path}), or choose a "
                "directory that is empty or does not exist yet (MEMFERRY_DATA_DIR)"
            )
        os.fchown(directory, account.uid, account.gid)
    finally:
        os.close(directory)


def _is_store(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is our object store: a directory of its name that root has created."""
    owner = entry.stat(follow_symlinks=False).st_uid
    is_directory = entry.is_dir(follow_symlinks=False)
    return entry.name == _STORE and is_directory and owner == os.geteuid()
