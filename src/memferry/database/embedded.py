"""A PostgreSQL server of our own, as a child of this process.

The server listens on a Unix socket in a directory of mode 0700 only, so whoever can connect could
read its files as well, and needs no password. Nothing here deletes postmaster.pid, PostgreSQL's own
guard against two servers on one directory, and no directory that we did not make changes its mode.
"""

import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from memferry.database.binaries import (
    Account,
    find_binaries,
    major_version,
    server_account,
)
from memferry.database.directory import make_data_directory
from memferry.database.machine import usable_bytes
from memferry.database.owner_lock import OwnerLock, open_private
from memferry.errors import EmbeddedPostgresFailed
from memferry.settings import EmbeddedSettings

OWNER = "memferry_owner"
DATABASE = "memferry"

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    # An export's rows are cached by the system at best once; a search's pages again and again.
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    # Statements of exports hold the words of filters, and details those of rows. No line of a
    # fault repeats them, nor does that of a process that died.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# Of the memory there is, where a quarter is usual for a machine that does nothing else
# (https://www.postgresql.org/docs/current/runtime-config-resource.html, shared_buffers).
_SHARED_PART, _LEAST_SHARED_MB, _MOST_SHARED_MB = 8, 128, 8 * 1024
_BUILTIN_LOCALE_MAJOR = 17
_PR_SET_PDEATHSIG = 1
_STOP_SECONDS = 30
# What a server that is not quite dead leaves to its successor: shared memory, and its lock file.
_STILL_IN_USE = ("still in use", 'lock file "postmaster.pid" already exists')
_LOG_LINES = 15


class EmbeddedPostgres:
    """One cluster below `home`, and the server that runs on it while somebody owns it."""

    def __init__(self, home: Path, settings: EmbeddedSettings = EmbeddedSettings()) -> None:
        self._home = home
        self._settings = settings
        self._shared_mb = settings.shared_mb or cache_mb(usable_bytes())
        self._data = home / "data"
        self._version_file = self._data / "PG_VERSION"
        self._log = home / "postgres.log"
        self._lock = OwnerLock(home)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def socket_dir(self) -> Path:
        """Short enough for a socket's address (107 bytes), and the same for every process."""
        name = hashlib.sha256(str(self._home.absolute()).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"memferry-{name}"

    def url(self, role: str = OWNER) -> str:
        """An address that psql and asyncpg take."""
        return f"postgresql://{role}@/{DATABASE}?host={quote(str(self.socket_dir), safe='')}"

    def exists(self) -> bool:
        """Whether a cluster was made here before; makes nothing, as `attach` does not."""
        with _translated_faults():
            return self._version_file.exists()

    def attach(self) -> bool:
        """Whether a server of this home is owned by somebody and takes connections."""
        with _translated_faults():
            return self._lock.is_held() and self._answers()

    def start(self, patience_s: float = 60) -> None:
        """Own the server: make the cluster if there is none, start it, wait until it answers.

        The server ends with the thread that called this, however that ends (Linux). Raises
        EmbeddedPostgresFailed with the reason and the end of the server's log, and Misconfigured
        for a directory that cannot hold it.
        """
        account = server_account(self._settings.user)
        make_data_directory(self._home.parent, account)
        make_data_directory(self._home, account)
        deadline = time.monotonic() + patience_s
        with _translated_faults():
            self._lock.take()
            try:
                self._start(account, deadline)
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """Stop the server if we own it: fast (SIGINT), and at once (SIGQUIT) if that takes long."""
        if self.process is not None:
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                self.process.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(_STOP_SECONDS)
                    break
            self.process = None
            with suppress(OSError):
                self.socket_dir.rmdir()
        self._lock.release()

    def _start(self, account: Account | None, deadline: float) -> None:
        binaries = find_binaries(self._settings.binaries, account, self._home)
        self._make_cluster(binaries, account)
        self._make_socket_dir(account)
        self._run(binaries, account, deadline)
        self._make_database(binaries, account)

    def _make_cluster(self, binaries: Path, account: Account | None) -> None:
        """Run initdb beside the final place: a cluster is there whole or not at all."""
        major = major_version(binaries)
        if self._version_file.exists():
            found = self._version_file.read_text(encoding="ascii").strip()
            if found != str(major):
                raise EmbeddedPostgresFailed(
                    f"the data in {self._data} is of PostgreSQL {found}, the programs in "
                    f"{binaries} are of {major}; point MEMFERRY_POSTGRES_BIN at programs of "
                    f"{found}, or move the data with pg_upgrade or pg_dump"
                )
            return
        partial = self._home / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        locale = (
            ["--locale-provider=builtin", "--locale=C.UTF-8"]
            if major >= _BUILTIN_LOCALE_MAJOR
            else ["--locale=C.UTF-8"]
        )
        self._call(
            [binaries / "initdb", "-D", partial, "-U", OWNER, "--auth=trust", "--encoding=UTF8",
             "--data-checksums", "--no-instructions", *locale],
            account,
        )  # fmt: skip
        partial.rename(self._data)

    def _make_socket_dir(self, account: Account | None) -> None:
        path = self.socket_dir
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
            if account is not None:
                os.chown(path, account.uid, account.gid)
        found = path.lstat()
        expected = os.geteuid() if account is None else account.uid
        if path.is_symlink() or found.st_uid != expected or found.st_mode & 0o077:
            raise EmbeddedPostgresFailed(
                f"{path} belongs to somebody else or is open to others; remove it"
            )

    def _run(self, binaries: Path, account: Account | None, deadline: float) -> None:
        """Start the server, again for as long as the last one's processes hold on to its data."""
        while True:
            started_at = self._log.stat().st_size if self._log.exists() else 0
            self.process = self._spawn(binaries, account)
            while self.process.poll() is None:
                if self._answers():
                    return
                if time.monotonic() > deadline:
                    raise EmbeddedPostgresFailed(f"PostgreSQL does not answer:\n{self._last_log()}")
                time.sleep(0.02)
            self.process = None
            with self._log.open("rb") as log:
                log.seek(started_at)
                said = log.read().decode("utf-8", "replace")
            waiting = any(words in said for words in _STILL_IN_USE)
            if not waiting or time.monotonic() > deadline:
                raise EmbeddedPostgresFailed(f"PostgreSQL did not start:\n{self._last_log()}")
            self._end_orphans()
            time.sleep(0.2)

    def _spawn(self, binaries: Path, account: Account | None) -> "subprocess.Popen[bytes]":
        settings = _SETTINGS | {"shared_buffers": f"{self._shared_mb}MB"}
        options = [f"-c{name}={value}" for name, value in settings.items()]
        command = [f"{binaries}/postgres", "-D", f"{self._data}", f"-k{self.socket_dir}", *options]
        with open(self._log, "ab", opener=open_private) as log:
            return subprocess.Popen(  # noqa: S603 - a list
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C goes to the whole foreground group; the server is stopped in its turn.
                start_new_session=True,
                preexec_fn=_end_with_parent(),  # noqa: PLW1509 - one system call, no lock
                **(account.popen if account else {}),
            )

    def _end_orphans(self) -> None:
        """End backends that outlived their server; they could still commit."""
        for cwd in Path("/proc").glob("[0-9]*/cwd"):
            with suppress(OSError):
                program = (cwd.parent / "exe").readlink().name
                if cwd.readlink() == self._data.absolute() and program.startswith("postgres"):
                    os.kill(int(cwd.parent.name), signal.SIGQUIT)

    def _make_database(self, binaries: Path, account: Account | None) -> None:
        psql = [binaries / "psql", "-h", self.socket_dir, "-U", OWNER, "-d", "postgres", "-XAtc"]
        name = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608 - a constant
        if self._call([*psql, name], account).strip() != "1":
            self._call([*psql, f"CREATE DATABASE {DATABASE}"], account)

    def _answers(self) -> bool:
        """Whether a connection gets through the start-up packet (pg_isready does the same)."""
        binaries = find_binaries(self._settings.binaries, None, self._home)
        command = [f"{binaries}/pg_isready", "-q", "-h", f"{self.socket_dir}", "-d", "postgres"]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 - a list

    def _call(self, command: list[Any], account: Account | None) -> str:
        done = subprocess.run(  # noqa: S603 - a list
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd=self._home,
            **(account.popen if account else {}),
        )
        if done.returncode != 0:
            raise EmbeddedPostgresFailed(f"{command[0].name} failed: {done.stderr.strip()}")
        return str(done.stdout)

    def _last_log(self) -> str:
        lines = self._log.read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:])


def cache_mb(usable_bytes: int) -> int:
    """How much the server caches of that much memory, in MiB."""
    part = usable_bytes // 2**20 // _SHARED_PART
    return min(max(part, _LEAST_SHARED_MB), _MOST_SHARED_MB)


@contextmanager
def _translated_faults() -> Iterator[None]:
    """Turn the system's faults into ours: no permission, disk full, a program that does not run."""
    try:
        yield
    except OSError as fault:
        name = f"{fault.filename}: " if fault.filename else ""
        raise EmbeddedPostgresFailed(f"the embedded PostgreSQL: {name}{fault.strerror}") from fault


def _end_with_parent() -> Any:
    """For the child, after it changed its user: ask Linux for a SIGINT when the parent dies."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGINT)

    return ask
