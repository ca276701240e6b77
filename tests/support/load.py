"""What a service takes of memory, and what another tenant waits, while somebody loads it."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.people import Person
from support.service import Service

MIB = 1024 * 1024
_LOOK_SECONDS = 0.05


@dataclass
class Load:
    """What was seen meanwhile."""

    rest_mib: int
    most_mib: int = 0
    grown: dict[str, int] = field(default_factory=dict)
    """By the name of each process, how much more than at rest it had, in MiB."""
    waited: float = 0.0
    statuses: list[int] = field(default_factory=list)

    @property
    def growth_mib(self) -> int:
        """All processes together, beyond their rest."""
        return self.most_mib - self.rest_mib

    def assert_bounded(self, mib: int = 200, seconds: float = 1.0) -> None:
        """Nobody else noticed much."""
        sys.stdout.write(f"+{self.growth_mib} MiB, another tenant waits {self.waited:.2f} s\n")
        assert set(self.statuses) <= {200, 201}
        assert self.growth_mib <= mib, self.grown
        assert self.waited <= seconds


@contextmanager
def watch_load(service: Service, neighbour: Person, after: float = 0.5) -> Iterator[Load]:
    """Look at every process of the service, and let another tenant work, until the end."""
    over = threading.Event()
    load = Load(sum(_processes(service).values()))
    looking = threading.Thread(target=_look, args=[service, load, over])
    program = str(Path(__file__).with_name("neighbour.py"))
    with subprocess.Popen(
        [sys.executable, program, service.url, neighbour.token],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        looking.start()
        try:
            yield load
            time.sleep(after)
        finally:
            over.set()
            looking.join()
            said, _ = other.communicate(timeout=90)
    seen = json.loads(said)
    load.waited, load.statuses = seen["worst"], seen["statuses"]


def _look(service: Service, load: Load, over: threading.Event) -> None:
    while not over.wait(_LOOK_SECONDS):
        processes = _processes(service)
        if sum(processes.values()) > load.most_mib:
            load.most_mib = sum(processes.values())
            load.grown = {name: mib for name, mib in processes.items() if mib > 20}


def _processes(service: Service) -> dict[str, int]:
    """The memory of its own that each process of the service holds, in MiB."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, _, rest = status.read_text().partition(" (")
        except OSError:
            continue  # it has ended
        parents[int(pid)] = int(rest.rpartition(") ")[2].split()[1])
    ours = {service.process.pid}
    while found := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= found
    return {f"{_name(pid)} {pid}": _anonymous_mib(pid) for pid in ours}


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()[:60]
    except OSError:
        return "ended"


def _anonymous_mib(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) // 1024
    except OSError:
        pass
    return 0
