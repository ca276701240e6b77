"""Nobody takes the memory, the event loop or the database from the others: `./run test-load`.

Each test does what a hostile or careless program would, while another tenant works: the service
may grow by 200 MiB, and the other tenant may wait for a second.
"""

import http.client
import json
import random
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from memferry.database.embedded import EmbeddedPostgres
from memferry.settings import WebSettings
from support.load import MIB, watch_load
from support.people import Person, make_person
from support.service import Service, start_service, stop_service

pytestmark = [pytest.mark.load, pytest.mark.timeout(600)]
Make = Callable[[str], Person]
BUDGET_MIB = WebSettings().memory_mb
# Beside bodies and answers: what is parsed and rendered of them at the moment.
SLACK_MIB = 200


@pytest.fixture(scope="module")
def loaded(home: Path) -> Iterator[tuple[Service, Make]]:
    """A service of its own with an embedded server, all of whose processes are looked at."""
    place = home / "load"
    place.mkdir(mode=0o711)
    service = start_service(place)
    url = EmbeddedPostgres(place / "postgres").url()
    with ExitStack() as stack:

        def make(name: str) -> Person:
            return stack.enter_context(make_person(name, service, url))

        person = make("warm")
        # What it takes once, such as its connections to the database, is no answer to a load.
        side_by_side(20, lambda: ask(person, "GET", "/api/memories?q=warm"))
        yield service, make
    assert stop_service(service) == 0


@pytest.fixture
def service(loaded: tuple[Service, Make]) -> Service:
    return loaded[0]


@pytest.fixture
def make(loaded: tuple[Service, Make]) -> Make:
    return loaded[1]


@pytest.fixture
def alice(loaded: tuple[Service, Make]) -> Person:
    """Who loads it."""
    return loaded[1]("alice")


@pytest.fixture
def bob(loaded: tuple[Service, Make]) -> Person:
    """Who has nothing to do with it."""
    person = loaded[1]("bob")
    person.save("small")
    return person


def connect(service: Service) -> socket.socket:
    host, _, port = service.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=60)


def flood(service: Service, start: bytes, piece: bytes, size: int) -> None:
    """Send that much, or until the other end has had enough, or for ten seconds."""
    over = time.monotonic() + 10
    with connect(service) as connection, suppress(OSError):
        connection.sendall(start)
        connection.settimeout(2)
        for _ in range(size // len(piece)):
            connection.sendall(piece)
            if time.monotonic() > over:
                break


def ask(person: Person, method: str, path: str, body: bytes | None = None) -> tuple[int, int]:
    """The status and the size of an answer, which is read and not kept; 0 if it was cut off."""
    host, _, port = str(person.base_url).removeprefix("http://").rstrip("/").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=120)
    size = 0
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {person.token}"})
        answer = connection.getresponse()
        while piece := answer.read(MIB):
            size += len(piece)
    except (OSError, http.client.IncompleteRead):
        return 0, size
    finally:
        connection.close()
    return answer.status, size


def side_by_side(number: int, work: Callable[[], tuple[int, int]]) -> list[tuple[int, int]]:
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(lambda _: work(), range(number)))


@pytest.mark.parametrize("connections", [1, 20])
def test_endless_headers_stay_within_memory_and_delay_nobody(
    service: Service, bob: Person, connections: int
) -> None:
    def attack() -> tuple[int, int]:
        flood(service, b"GET / HTTP/1.1\r\nHost: a\r\n", b"a:\r\n" * 65536, 100 * MIB)
        return 0, 0

    with watch_load(service, bob) as load:
        side_by_side(connections, attack)

    load.assert_bounded()


@pytest.mark.parametrize("connections", [1, 20])
def test_pipelined_requests_stay_within_memory_and_delay_nobody(
    service: Service, bob: Person, connections: int
) -> None:
    def attack() -> tuple[int, int]:
        flood(service, b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 10_000, 40 * MIB)
        return 0, 0

    with watch_load(service, bob) as load:
        side_by_side(connections, attack)

    load.assert_bounded()


@pytest.mark.parametrize("connections", [1, 20])
def test_bodies_in_tiny_chunks_stay_within_memory_and_delay_nobody(
    service: Service, bob: Person, connections: int
) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    def attack() -> tuple[int, int]:
        for _ in range(20):
            flood(service, head, b"1\r\na\r\n" * 50_000, 10 * MIB)
        return 0, 0

    with watch_load(service, bob) as load:
        side_by_side(connections, attack)

    load.assert_bounded()


def test_thirteen_hundred_idle_connections_delay_nobody(service: Service, bob: Person) -> None:
    with watch_load(service, bob) as load, ExitStack() as stack:
        for _ in range(1300):
            stack.enter_context(connect(service))
        time.sleep(1)

    load.assert_bounded()


@pytest.mark.parametrize(
    "element", ["0,", "[],", '{"b":0},', "1e399,"], ids=["0", "lists", "objects", "large"]
)
def test_a_bulk_save_of_large_metadata_stays_within_memory(
    service: Service, alice: Person, bob: Person, element: str
) -> None:
    metadata = '{"a":[' + element * ((MIB - 100) // len(element)) + "0]}"
    row = '{"content":"x","metadata":' + metadata + "}"
    body = ('{"items":[' + ",".join([row] * 127) + "]}").encode()
    with watch_load(service, bob) as load:
        status, _ = ask(alice, "POST", "/v1/memories/bulk", body)

    assert status == 200
    load.assert_bounded()


@pytest.mark.parametrize("mib", [16, 127])
@pytest.mark.parametrize("element", ["0,", "{},", "[],"])
def test_a_bulk_save_of_too_many_rows_stays_within_memory(
    service: Service, alice: Person, bob: Person, mib: int, element: str
) -> None:
    body = ('{"items":[' + element * (mib * MIB // len(element)) + "0]}").encode()
    with watch_load(service, bob) as load:
        status, _ = ask(alice, "POST", "/v1/memories/bulk", body)

    assert status == 400
    load.assert_bounded()


def fill(person: Person, content: str, number: int) -> None:
    for _ in range(number):
        person.save(content)


@pytest.mark.parametrize("content", ["x" * MIB, "\x01" * MIB], ids=["plain", "escaped"])
def test_pages_of_large_rows_stay_within_memory(
    service: Service, alice: Person, bob: Person, content: str
) -> None:
    fill(alice, content, 100)
    with watch_load(service, bob) as load:
        answers = side_by_side(3, lambda: ask(alice, "GET", "/api/memories?limit=500"))

    assert {status for status, _ in answers} == {200}
    assert all(size > 100 * len(json.dumps(content)) for _, size in answers)
    load.assert_bounded()


def test_clients_that_do_not_read_their_answers_delay_nobody(
    service: Service, alice: Person, bob: Person
) -> None:
    fill(alice, "x" * MIB, 100)
    request = (
        f"GET /api/memories?limit=500 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {alice.token}"
    )
    with watch_load(service, bob) as load, ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(connect(service)).sendall(request.encode() + b"\r\n\r\n")
        time.sleep(15)

    load.assert_bounded()


def test_downloads_that_nobody_reads_delay_nobody(
    service: Service, alice: Person, bob: Person
) -> None:
    alice.save_many([{"content": "y" * 3000} for _ in range(10_001)])
    link = alice.wait_for(alice.export(format="ndjson"))["download_url"]
    request = f"GET {urlsplit(link).path} HTTP/1.1\r\nHost: a\r\n\r\n"
    with watch_load(service, bob) as load, ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connect(service)).sendall(request.encode())
        time.sleep(12)

    load.assert_bounded()


def test_many_changes_of_one_row_delay_nobody(service: Service, alice: Person, bob: Person) -> None:
    path = f"/api/memories/{alice.save('x')['id']}"
    statuses = []
    with watch_load(service, bob) as load:
        for number in range(20):
            body = json.dumps({"metadata": {f"k{number}": "x" * 200_000}})
            statuses.append(ask(alice, "PATCH", path, body.encode())[0])

    assert statuses == [200] * 5 + [413] * 15
    load.assert_bounded()


def test_abandoned_bulk_searches_delay_nobody(service: Service, alice: Person, bob: Person) -> None:
    chance = random.Random(1)
    words = [f"w{number}" for number in range(1000)]
    for _ in range(10):
        alice.save(" ".join(chance.choices(words, k=250_000))[: MIB - 10])
    queries = [" ".join(chance.choices(words, k=10)) for _ in range(25)]
    body = json.dumps({"queries": queries, "k": 50}).encode()
    head = (
        f"POST /api/memories/search/bulk HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: Bearer {alice.token}\r\n\r\n"
    ).encode()
    with watch_load(service, bob, after=5) as load:
        with ExitStack() as stack:
            for _ in range(12):
                stack.enter_context(connect(service)).sendall(head + body)
            time.sleep(2)
        began = time.monotonic()
        status, _ = ask(alice, "GET", "/api/memories?limit=1")
        freed = time.monotonic() - began

    assert status == 200
    assert freed < 5
    load.assert_bounded()


def test_a_hundred_searches_for_a_common_word_delay_nobody(
    service: Service, alice: Person, bob: Person
) -> None:
    alice.save_many([{"content": f"common words of memory {i}"} for i in range(20_000)])
    with watch_load(service, bob) as load:
        answers = side_by_side(100, lambda: ask(alice, "GET", "/api/memories?q=common"))

    assert {status for status, _ in answers} <= {200, 429}, service.log.read_text()[-5000:]
    load.assert_bounded()


def test_fifty_inline_exports_of_thirty_mib_stay_within_memory(
    service: Service, alice: Person, bob: Person
) -> None:
    alice.save_many([{"content": "y" * 1000} for _ in range(9_000)])
    alice.save_many([{"content": "z" * 200_000} for _ in range(100)])
    with watch_load(service, bob) as load:
        answers = side_by_side(
            50, lambda: ask(alice, "POST", "/api/memories/exports", b'{"format":"ndjson"}')
        )

    assert {status for status, _ in answers} <= {201, 429}
    assert [size > 28 * MIB for status, size in answers if status == 201]
    load.assert_bounded()


def everything(service: Service, person: Person) -> list[Callable[[], object]]:
    """What takes much memory, one way each."""
    bulk = b'{"items":[' + b"0," * (30 * MIB) + b"0]}"
    rows = [{"content": "x", "metadata": {"a": ["y" * 1000] * 900}} for _ in range(60)]
    large = json.dumps({"items": rows}).encode()
    return [
        lambda: ask(person, "GET", "/api/memories?limit=500"),
        lambda: ask(person, "POST", "/v1/memories/bulk", bulk),
        lambda: ask(person, "POST", "/v1/memories/bulk", large),
        lambda: ask(person, "POST", "/api/memories/exports", b"{}"),
        lambda: flood(service, b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 1000, 10 * MIB),
        lambda: flood(service, b"GET / HTTP/1.1\r\nHost: a\r\n", b"a:\r\n" * 65536, 10 * MIB),
    ]


def repeat_all(works: list[Callable[[], object]], seconds: float) -> None:
    """Do all of these again and again, each three times side by side."""
    over = threading.Event()

    def repeat(work: Callable[[], object]) -> None:
        while not over.is_set():
            work()

    threads = [threading.Thread(target=repeat, args=[work]) for work in works for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    over.set()
    for thread in threads:
        thread.join()


def test_all_kinds_of_load_at_once_stay_within_memory(
    service: Service, alice: Person, bob: Person
) -> None:
    fill(alice, "x" * MIB, 25)
    with watch_load(service, bob) as load:
        repeat_all(everything(service, alice), seconds=15)

    load.assert_bounded(mib=512)


def test_a_process_that_may_take_its_budget_and_no_more_is_never_killed(
    service: Service, make: Make, bob: Person
) -> None:
    people = [make(name) for name in ("alice", "carol", "dave")]
    for person in people:
        fill(person, "x" * MIB, 25)
    with limited_memory(service, BUDGET_MIB + SLACK_MIB), watch_load(service, bob) as load:
        repeat_all([each for person in people for each in everything(service, person)], seconds=20)

    assert service.process.poll() is None
    assert b"MemoryError" not in service.log.read_bytes()
    assert set(load.statuses) <= {200, 201}


@contextmanager
def limited_memory(service: Service, mib: int) -> Iterator[None]:
    """The API can allocate that much more than it has; what passes it fails (setrlimit(2))."""
    pid, kind = service.process.pid, resource.RLIMIT_DATA
    status = Path(f"/proc/{pid}/status").read_text()
    rest = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData"))
    _, hard = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (rest * 1024 + mib * MIB, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, kind, (hard, hard))
