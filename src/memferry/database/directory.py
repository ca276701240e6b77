"""The data directory: made in one place, and handed to the user as whom PostgreSQL runs."""

import os
from pathlib import Path

from memferry.database.binaries import Account
from memferry.errors import EmbeddedPostgresFailed, Misconfigured

# What may lie in a data directory before the embedded server does.
_STORE = "exports"


def make_data_directory(path: Path, account: Account | None) -> None:
    """Make a data directory that is missing, and see that the server's user can enter it.

    Parents that are missing are made too; those that exist are left as they are. As root the
    directory belongs to that user afterwards; one that the user cannot enter is handed over if it
    is empty, or holds nothing but a store of ours. Raises Misconfigured, and changes nothing, for
    a directory that cannot be made, EmbeddedPostgresFailed for one that cannot be handed over.
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
    """Raise unless the server's user can get to a directory; nobody else's modes are changed."""
    for parent in reversed(path.absolute().parents):
        if parent.exists() and not account.can_enter(parent):
            raise EmbeddedPostgresFailed(
                f"the user {account.name!r}, as whom PostgreSQL runs, cannot enter {parent}, which "
                f"leads to {path}; choose a data directory below one that every user can enter "
                "(MEMFERRY_DATA_DIR)"
            )


def _make_missing(path: Path, account: Account | None) -> None:
    """Make a directory and its missing parents; as root they belong to the server's user."""
    missing = [directory for directory in (path, *path.parents) if not directory.exists()]
    for directory in reversed(missing):
        directory.mkdir(mode=0o700, exist_ok=True)
        if account is not None:
            os.chown(directory, account.uid, account.gid)


def _hand_over(path: Path, account: Account) -> None:
    """Give an empty directory to the server's user; looked at and changed through one descriptor.

    By its path, somebody who may write beside it could put another directory in its place.
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
    """Whether it is a store of ours: a directory of that name, made by root."""
    made_by = entry.stat(follow_symlinks=False).st_uid
    is_directory = entry.is_dir(follow_symlinks=False)
    return entry.name == _STORE and is_directory and made_by == os.geteuid()
