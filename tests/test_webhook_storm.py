"""Webhooks are deleted, changed and told at once by many: no deadlock, and no answer above 499."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import asyncpg
import pytest

from conftest import Person, Service, make_person, own_database, start_service, stop_service

ROUNDS, WEBHOOKS, THREADS = 6, 8, 8


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


@pytest.fixture
def own(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, str]]:
    with own_database(database_url) as url:
        service = start_service(
            tmp_path_factory.mktemp("storm"),
            MEMFERRY_DATABASE_URL=url,
            MEMFERRY_WEBHOOKS_ALLOW_PRIVATE="true",
            MEMFERRY_TENANT_REQUESTS_PER_MINUTE="100000",
        )
        yield service, url
        stop_service(service)


async def deadlocks(url: str) -> int:
    connection = await asyncpg.connect(url)
    number: int = await connection.fetchval(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    await connection.close()
    return number


def test_a_storm_of_changes_and_deletions_meets_no_deadlock(
    own: tuple[Service, str], receiver: str
) -> None:
    service, url = own
    statuses: Counter[int] = Counter()
    with make_person("alice", service, url) as alice, ThreadPoolExecutor(THREADS) as pool:
        # A connection for each request: which of them the server keeps is not what is asked.
        alice.headers["Connection"] = "close"
        for _ in range(ROUNDS):
            targets = [f"{receiver}/{'fail' if i % 2 else 'ok'}" for i in range(WEBHOOKS)]
            made = [alice.post("/api/webhooks", json={"url": target}).json() for target in targets]
            jobs = [pool.submit(_save, alice, number) for number in range(20)]
            jobs += [pool.submit(_change, alice, webhook["id"]) for webhook in made]
            jobs += [pool.submit(_delete, alice, webhook["id"]) for webhook in made]
            jobs += [pool.submit(_save, alice, number) for number in range(10)]
            statuses.update(job.result() for job in jobs)
        assert alice.get("/api/webhooks").json() == {"endpoints": []}

    assert max(statuses) < 500, statuses
    assert asyncio.run(deadlocks(url)) == 0


def _save(person: Person, number: int) -> int:
    return person.post("/api/memories", json={"content": f"storm {number}"}).status_code


def _change(person: Person, webhook_id: str) -> int:
    answer = person.put(f"/api/webhooks/{webhook_id}", json={"description": "changed"})
    return answer.status_code


def _delete(person: Person, webhook_id: str) -> int:
    return person.delete(f"/api/webhooks/{webhook_id}").status_code
