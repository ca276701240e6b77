"""The embedded PostgreSQL server, a child of this process.

It listens only on a Unix socket in a directory of mode 0700. Whoever can connect could read its
files too, so it needs no password. Nothing here deletes postmaster.pid, which is PostgreSQL's guard
against two servers on one directory, and no directory of others changes its mode.
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
    ensure_account,
    find_binaries,
    read_major_version,
)
from memferry.database.directory import make_data_directory
from memferry.database.machine import read_usable_bytes
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
    # The kernel's cache helps an export little, since it reads a row once, but a search much.
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    # Statements of exports hold the words of filters, and error details the values of rows. No log
    # line repeats them, not even that of a process that died.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# The divisor of the memory, and bounds in MiB. A quarter is usual for a machine of its own
# (https://www.postgresql.org/docs/current/runtime-config-resource.html, shared_buffers).
_SHARED_PART, _LEAST_SHARED_MB, _MOST_SHARED_MB = 8, 128, 8 * 1024
_BUILTIN_LOCALE_MAJOR = 17
_PR_SET_PDEATHSIG = 1
_STOP_SECONDS = 30
# Log lines of a start that fails while processes of the last server still hold its shared memory or
# its lock file.
_STILL_IN_USE = ("still in use", 'lock file "postmaster.pid" already exists')
_LOG_LINES = 15


class EmbeddedPostgres:
    """One cluster below `home`, and its server, which runs while a process owns it."""

    def __init__(self, home: Path, settings: EmbeddedSettings = EmbeddedSettings()) -> None:
        self._home = home
        self._settings = settings
        self._shared_mb = settings.shared_mb or compute_cache_mb(read_usable_bytes())
        self._data = home / "data"
        self._version_file = self._data / "PG_VERSION"
        self._log = home / "postgres.log"
        self._lock = OwnerLock(home)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def socket_dir(self) -> Path:
        """The directory of the socket: the same for every process, and within 107 bytes."""
        name = hashlib.sha256(str(self._home.absolute()).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"memferry-{name}"

    def url(self, role: str = OWNER) -> str:
        """The address of the database, for psql and asyncpg."""
        return f"postgresql://{role}@/{DATABASE}?host={quote(str(self.socket_dir), safe='')}"

    def exists(self) -> bool:
        """Whether there is a cluster; creates nothing."""
        with _translate_faults():
            return self._version_file.exists()

    def attach(self) -> bool:
        """Whether a process owns the server and it accepts connections; creates nothing."""
        with _translate_faults():
            return self._lock.is_held() and self._answers()

    def start(self, wait_seconds: float = 60) -> None:
        """Own the server: create the cluster if there is none, start it, wait until it answers.

        On Linux the server ends when the calling thread ends, in whatever way. Raises
        EmbeddedPostgresFailed with the reason and the end of the server's log, and Misconfigured
        for a directory that cannot be used.
        """
        account = ensure_account(self._settings.user)
        make_data_directory(self._home.parent, account)
        make_data_directory(self._home, account)
        deadline = time.monotonic() + wait_seconds
        with _translate_faults():
            self._lock.take()
            try:
                self._start(account, deadline)
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """Stop the server if we own it: fast (SIGINT), after 30 s at once (SIGQUIT, SIGKILL)."""
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
        self._create_cluster(binaries, account)
        self._create_socket_dir(account)
        self._start_server(binaries, account, deadline)
        self._create_database(binaries, account)

    def _create_cluster(self, binaries: Path, account: Account | None) -> None:
        """Run initdb in another directory, then rename it: a cluster is there whole or not at all.

        Raises EmbeddedPostgresFailed for a cluster of another major version.
        """
        major = read_major_version(binaries)
        if self._version_file.exists():
            data_major = self._version_file.read_text(encoding="ascii").strip()
            if data_major != str(major):
                raise EmbeddedPostgresFailed(
                    f"the data in {self._data} is of PostgreSQL {data_major}, the programs in "
                    f"{binaries} are of {major}; point MEMFERRY_POSTGRES_BIN at programs of "
                    f"{data_major}, or move the data with pg_upgrade or pg_dump"
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

    def _create_socket_dir(self, account: Account | None) -> None:
        path = self.socket_dir
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
            if account is not None:
                os.chown(path, account.uid, account.gid)
        status = path.lstat()
        expected = os.geteuid() if account is None else account.uid
        if path.is_symlink() or status.st_uid != expected or status.st_mode & 0o077:
            raise EmbeddedPostgresFailed(
                f"{path} belongs to somebody else or is open to others; remove it"
            )

    def _start_server(self, binaries: Path, account: Account | None, deadline: float) -> None:
        """Start the server, and retry while processes of the last one still hold its data."""
        while True:
            started_at = self._log.stat().st_size if self._log.exists() else 0
            self.process = self._spawn(binaries, account)
            while self.process.poll() is None:
                if self._answers():
                    return
                if time.monotonic() > deadline:
                    log = self._read_last_log()
                    raise EmbeddedPostgresFailed(f"PostgreSQL does not answer:\n{log}")
                time.sleep(0.02)
            self.process = None
            is_in_use = self._log_shows_use(started_at)
            if not is_in_use or time.monotonic() > deadline:
                raise EmbeddedPostgresFailed(f"PostgreSQL did not start:\n{self._read_last_log()}")
            self._end_orphans()
            time.sleep(0.2)

    def _log_shows_use(self, start: int) -> bool:
        """Whether the log says, from byte `start` on, that the data of the server is in use."""
        with self._log.open("rb") as log:
            log.seek(start)
            text = log.read().decode("utf-8", "replace")
        return any(words in text for words in _STILL_IN_USE)

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
                # Ctrl-C reaches the whole foreground group; the server must end after the service.
                start_new_session=True,
                preexec_fn=_make_death_signal(),  # noqa: PLW1509 - one system call, no lock
                **(account.popen if account else {}),
            )

    def _end_orphans(self) -> None:
        """Terminate backends that outlived their server: they could still commit."""
        for cwd in Path("/proc").glob("[0-9]*/cwd"):
            with suppress(OSError):
                program = (cwd.parent / "exe").readlink().name
                if cwd.readlink() == self._data.absolute() and program.startswith("postgres"):
                    os.kill(int(cwd.parent.name), signal.SIGQUIT)

    def _create_database(self, binaries: Path, account: Account | None) -> None:
        psql = [binaries / "psql", "-h", self.socket_dir, "-U", OWNER, "-d", "postgres", "-XAtc"]
        name = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608 - a constant
        if self._call([*psql, name], account).strip() != "1":
            self._call([*psql, f"CREATE DATABASE {DATABASE}"], account)

    def _answers(self) -> bool:
        """Whether the server accepts a connection, as pg_isready finds out."""
        binaries = find_binaries(self._settings.binaries, None, self._home)
        command = [f"{binaries}/pg_isready", "-q", "-h", f"{self.socket_dir}", "-d", "postgres"]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 - a list

    def _call(self, command: list[Any], account: Account | None) -> str:
        result = subprocess.run(  # noqa: S603 - a list
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd=self._home,
            **(account.popen if account else {}),
        )
        if result.returncode != 0:
            raise EmbeddedPostgresFailed(f"{command[0].name} failed: {result.stderr.strip()}")
        return str(result.stdout)

    def _read_last_log(self) -> str:
        lines = self._log.read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:])


def compute_cache_mb(usable_bytes: int) -> int:
    """The size of the server's cache in MiB for this much memory."""
    share = usable_bytes // 2**20 // _SHARED_PART
    return min(max(share, _LEAST_SHARED_MB), _MOST_SHARED_MB)


@contextmanager
def _translate_faults() -> Iterator[None]:
    """Raise faults of the system as ours: no permission, disk full, a program that fails."""
    try:
        yield
    except OSError as fault:
        name = f"{fault.filename}: " if fault.filename else ""
        raise EmbeddedPostgresFailed(f"the embedded PostgreSQL: {name}{fault.strerror}") from fault


def _make_death_signal() -> Any:
    """Make the call by which a child asks Linux for a SIGINT at its parent's death.

    The child makes it after it has changed its user, which would clear it.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def set_death_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGINT)

    return set_death_signal
