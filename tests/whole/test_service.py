"""`memferry serve` as an operator meets it: start, stop, death of a part, outages."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.service import Service, find_child, list_children, start_service, stop_service


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory that does not exist yet, in a place PostgreSQL's user can enter."""
    with tempfile.TemporaryDirectory(prefix="memferry-service-") as name:
        Path(name).chmod(0o711)
        yield Path(name) / "data"


@pytest.fixture
def own(data_dir: Path, request: pytest.FixtureRequest) -> Iterator[Service]:
    """A service on the embedded server, for one test alone."""
    programs = request.config.getoption("--postgres-bin")
    more = {"MEMFERRY_POSTGRES_BIN": str(programs)} if programs else {}
    service = start_service(data_dir.parent, **more)
    yield service
    if service.process.poll() is None:
        stop_service(service)


def token_of(service: Service) -> str:
    """The token that the first start prints, right after the API has begun to answer."""
    deadline = time.monotonic() + 5
    while not (found := re.search(r"mnu_[\w-]{43}", service.log.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found[0]


def processes_of(service: Service) -> set[int]:
    """The service and everything it started, however deep."""
    found, todo = set(), [service.process.pid]
    while todo:
        found.add(pid := todo.pop())
        todo += list_children(pid)
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that still run."""
    return {pid for pid in pids if Path(f"/proc/{pid}/cmdline").exists()}


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here to try the line with")
def test_the_first_start_prints_a_token_and_a_curl_line_that_works(own: Service) -> None:
    token = token_of(own)
    lines = own.log.read_text()
    curl = re.search(r"curl -s .*?exports.*?\n.*?'\n", lines, re.DOTALL)

    assert curl is not None
    answer = httpx.get(f"{own.url}/api/memories", headers={"Authorization": f"Bearer {token}"})
    assert answer.json() == []
    done = subprocess.run(["sh", "-c", curl[0]], check=True, capture_output=True, text=True)  # noqa: S607 - what a person would type
    assert '"status":"completed"' in done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_service_stops_cleanly_and_leaves_no_process(own: Service, number: int) -> None:
    everything = processes_of(own)
    own.process.send_signal(number)

    assert own.process.wait(20) == 0
    assert "memferry has stopped" in own.log.read_text()
    assert len(everything) > 5
    assert alive(everything) == set()


def test_a_killed_service_ends_all_its_processes_and_starts_again(own: Service) -> None:
    token = token_of(own)
    headers = {"Authorization": f"Bearer {token}"}
    httpx.post(f"{own.url}/api/memories", headers=headers, json={"content": "kept"})
    everything = processes_of(own)
    own.process.kill()
    own.process.wait()
    deadline = time.monotonic() + 20
    while alive(everything):
        assert time.monotonic() < deadline
        time.sleep(0.05)

    again = start_service(own.home, **own.environment)

    rows = httpx.get(f"{again.url}/api/memories", headers=headers).json()
    assert [row["content"] for row in rows] == ["kept"]
    assert stop_service(again) == 0


def test_a_killed_service_starts_while_the_old_postgresql_shuts_down(
    own: Service,
) -> None:
    headers = {"Authorization": f"Bearer {token_of(own)}"}
    httpx.post(f"{own.url}/api/memories", headers=headers, json={"content": "kept"})
    postgres = find_child(own.process.pid, "postgres -D")
    assert postgres is not None
    # A server that is halted takes as long to shut down as this test likes.
    os.kill(postgres, signal.SIGSTOP)
    own.process.kill()
    own.process.wait()
    going_on = threading.Timer(3, os.kill, (postgres, signal.SIGCONT))
    going_on.start()

    again = start_service(own.home, **own.environment)
    going_on.join()

    rows = httpx.get(f"{again.url}/api/memories", headers=headers).json()
    assert [row["content"] for row in rows] == ["kept"]
    assert stop_service(again) == 0
    deadline = time.monotonic() + 10
    while alive({postgres}):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_killed_worker_and_a_killed_postgresql_come_back(own: Service) -> None:
    headers = {"Authorization": f"Bearer {token_of(own)}"}
    worker = own.worker_pid()
    assert worker is not None
    postgres = find_child(own.process.pid, "postgres -D")
    assert postgres is not None
    os.kill(worker, signal.SIGKILL)
    os.kill(postgres, signal.SIGKILL)

    seen = set()
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        answer = httpx.post(
            f"{own.url}/api/memories", headers=headers, json={"content": "x"}, timeout=30
        )
        seen.add(answer.status_code)
        if answer.status_code == 201:
            break
        assert answer.headers["retry-after"]
        time.sleep(0.1)

    assert seen <= {201, 503}
    assert 201 in seen
    while (again := own.worker_pid()) in (None, worker):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert again is not None


def test_a_second_service_on_one_data_directory_is_refused(own: Service) -> None:
    command = [sys.executable, "-m", "memferry", "serve", "--port", "1"]
    done = subprocess.run(
        [*command[:-1], "39999", "--data-dir", str(own.home)],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert done.returncode == 1
    assert f"another memferry (process {own.process.pid})" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_reported(service: Service, data_dir: Path) -> None:
    port = service.url.rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "memferry", "serve", "--port", port, "--data-dir", str(data_dir)],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr


def test_an_unreachable_store_is_a_503_until_it_returns(own: Service) -> None:
    headers = {"Authorization": f"Bearer {token_of(own)}"}
    with httpx.Client(base_url=own.url, headers=headers, timeout=60) as client:
        items = [{"content": f"memory {i}"} for i in range(10_000)]
        client.post("/v1/memories/bulk", json={"items": items})
        client.post("/api/memories", json={"content": "one more"})
        path = f"/api/memories/exports/{client.post('/api/memories/exports').json()['id']}"
        while client.get(path).json()["status"] != "completed":
            time.sleep(0.05)
        hidden = own.store.rename(own.store.with_name("hidden"))
        own.store.write_bytes(b"no directory")
        away = client.get(path)
        own.store.unlink()
        hidden.rename(own.store)
        back = client.get(path)

    assert (away.status_code, away.json()["code"]) == (503, "storage_unavailable")
    assert away.headers["retry-after"]
    assert back.json()["download_url"] is not None
