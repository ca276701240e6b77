"""Several nodes, each a process with a directory of its own, and a balancer before the APIs."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from support.people import Person
from support.service import NO_TLS
from support.sessions import open_session


@dataclass
class Nodes:
    """Processes with the settings of the page, each with a directory of its own."""

    settings: dict[str, str]
    home: Path
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def run(self, words: str) -> str:
        """Run a command of the page to its end; what it prints."""
        command, environment = self._command(words, "once"), self._environment()
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, name: str, words: str) -> None:
        """Start a node."""
        with (self.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self._command(words, name), env=self._environment(), stdout=log, stderr=log
            )

    def stop(self, name: str) -> None:
        """Ask a node to stop; it does so in order."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, self.log(name)

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text()

    def _command(self, words: str, name: str) -> list[str]:
        arguments = words.split()
        assert arguments.pop(0) == "memferry"
        return [sys.executable, "-m", "memferry", *arguments, "--data-dir", str(self.home / name)]

    def _environment(self) -> dict[str, str]:
        return os.environ | self.settings | {"MEMFERRY_WORKER_NICE": "0"}


@dataclass(frozen=True)
class Api:
    """How an API node is started, and where it answers."""

    words: str
    url: str

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/health/ready", verify=NO_TLS).is_success
        except httpx.TransportError:
            return False


class Peaks(threading.Thread):
    """Counts the sessions of memferry, by what they call themselves, as often as it can."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.most: Counter[str] = Counter()
        self.over = threading.Event()
        self._url = url

    def run(self) -> None:
        query = (
            "SELECT split_part(application_name, ' ', 2) AS role, count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'memferry%' GROUP BY 1"
        )
        with open_session(self._url) as session:
            while not self.over.wait(0.02):
                self.most |= Counter({row["role"]: row["count"] for row in session(query)})


@contextmanager
def count_sessions(url: str) -> Iterator[Peaks]:
    peaks = Peaks(url)
    peaks.start()
    yield peaks
    peaks.over.set()
    peaks.join()


@dataclass
class Balancer:
    """Sends each request to a node that is in rotation, the next time to the next one."""

    token: str
    rotation: list[Api]
    statuses: Counter[int] = field(default_factory=Counter)
    requests: int = 0

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        self.requests += 1
        node = self.rotation[self.requests % len(self.rotation)]
        with Person("alice", node.url, self.token) as alice:
            answer = alice.request(method, path, **more)
        self.statuses[answer.status_code] += 1
        return answer

    def save_until(self, over: threading.Event) -> int:
        """Save one memory after the other; how many were kept."""
        kept = 0
        while not over.is_set():
            kept += self.request("POST", "/api/memories", json={"content": "x"}).is_success
        return kept
