"""Webhooks are deleted, changed and told at once by many: no deadlock, and no answer above 499."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from support.deadlocks import count_deadlocks
from support.people import Person, make_person
from support.postgres import create_database
from support.service import Service, start_service, stop_service

pytestmark = pytest.mark.long

ROUNDS, WEBHOOKS, THREADS, MANY = 6, 8, 8, 150


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(500 if "fail" in self.path else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def receiver() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def served(url: str, home: Path) -> Iterator[Service]:
    """A service on that database, and a second worker."""
    service = start_service(
        home,
        MEMFERRY_DATABASE_URL=url,
        MEMFERRY_WEBHOOKS_ALLOW_PRIVATE="true",
        MEMFERRY_TENANT_REQUESTS_PER_MINUTE="100000",
    )
    second = subprocess.Popen(
        [sys.executable, "-m", "memferry", "worker", "--data-dir", str(home)],
        env=os.environ | service.environment,
    )
    try:
        yield service
    finally:
        second.terminate()
        stop_service(service)
        second.wait(30)


def test_a_storm_of_changes_and_deletions_meets_no_deadlock(
    database_url: str, receiver: str, tmp_path: Path
) -> None:
    statuses: Counter[int] = Counter()
    with create_database(database_url) as url:
        with (
            served(url, tmp_path) as service,
            make_person("alice", service, url) as alice,
            ThreadPoolExecutor(THREADS) as pool,
        ):
            # A connection for each request: which of them the server keeps is not what is asked.
            alice.headers["Connection"] = "close"
            for _ in range(ROUNDS):
                statuses.update(storm(alice, receiver, pool))
            left = alice.get("/api/webhooks").json()

        assert asyncio.run(count_deadlocks(url)) == 0
    assert left == {"endpoints": []}
    assert statuses.keys() <= {200, 201, 204, 404}


def storm(alice: Person, receiver: str, pool: ThreadPoolExecutor) -> Iterator[int]:
    """Webhooks that are told, changed and deleted at once; the status of each answer."""
    targets = [f"{receiver}/{'fail' if i % 2 else 'ok'}" for i in range(WEBHOOKS)]
    made = [alice.post("/api/webhooks", json={"url": target}).json() for target in targets]
    # So many deliveries that workers settle some for as long as the others are deleted.
    alice.save_many([{"content": f"many {number}"} for number in range(MANY)])
    jobs = [pool.submit(_save, alice, number) for number in range(20)]
    jobs += [pool.submit(_change, alice, webhook["id"]) for webhook in made]
    jobs += [pool.submit(_delete, alice, webhook["id"]) for webhook in made]
    jobs += [pool.submit(_save_some, alice) for _ in range(10)]
    return (job.result() for job in jobs)


def _save(person: Person, number: int) -> int:
    return person.post("/api/memories", json={"content": f"storm {number}"}).status_code


def _save_some(person: Person) -> int:
    items = [{"content": f"some {number}"} for number in range(100)]
    return person.post("/v1/memories/bulk", json={"items": items}).status_code


def _change(person: Person, webhook_id: str) -> int:
    answer = person.put(f"/api/webhooks/{webhook_id}", json={"description": "changed"})
    return answer.status_code


def _delete(person: Person, webhook_id: str) -> int:
    return person.delete(f"/api/webhooks/{webhook_id}").status_code
