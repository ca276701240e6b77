"""Every address with an id in it answers a stranger's id like one that nobody has."""

import random
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import asyncpg
import httpx
import pytest

from memferry.app import open_web_app
from memferry.database.pool import Connection
from memferry.model.token import SCOPES
from memferry.settings import Settings
from support.people import Person, make_person
from support.service import Service

pytestmark = pytest.mark.long

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

# Unknown ids look like real ones; malformed ones cannot be anybody's.
UNKNOWN = {
    "memory_id": "00000000-0000-7000-8000-0000000000ff",
    "webhook_id": "00000000-0000-4000-8000-0000000000ff",
    "export_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "import_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "token_id": "00000000-0000-7000-8000-0000000000ff",
    "project_id": "00000000-0000-4000-8000-0000000000ff",
    "reference": "a-thread-that-nobody-knows",
}
MALFORMED = ("0", "x" * 300, "é", "%00", "' OR 1=1 --", "00000000-0000-7000-8000")

# Any text is a name of a thread, and an unknown one has no pieces.
ANSWERS_EMPTY = {"/api/threads/{reference}": {"parent_ref": UNKNOWN["reference"], "chunks": []}}

# Here the last part is no id but the permission itself: tests/test_foreign_links.py.
PERMISSIONS = {"/downloads/{link}"}


def thread_of(person: Person) -> str:
    """The name of a thread that nobody else has, as long as the unknown one."""
    name = uuid4().hex[: len(UNKNOWN["reference"])].ljust(len(UNKNOWN["reference"]), "x")
    person.save("of Bob", source_ref=name)
    return name


MAKE: dict[str, Callable[[Person], str]] = {
    "memory_id": lambda person: str(person.save("of Bob")["id"]),
    "export_id": lambda person: str(person.export()["id"]),
    "import_id": lambda person: str(person.import_file("[]")["id"]),
    "webhook_id": lambda person: str(
        person.post("/api/webhooks", json={"url": "https://example.com/"}).json()["id"]
    ),
    "token_id": lambda person: str(person.post("/api/tokens", json={}).json()["id"]),
    "project_id": lambda person: str(
        person.post("/api/projects", json={"name": uuid4().hex}).json()["id"]
    ),
    "reference": thread_of,
}


@pytest.fixture
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice, who may do everything: what she is refused is not for want of a scope."""
    with make_person("alice", service, database_url, SCOPES) as person:
        yield person


@pytest.fixture
def bob(service: Service, database_url: str) -> Iterator[Person]:
    """Bob, who may do everything."""
    with make_person("bob", service, database_url, SCOPES) as person:
        yield person


@dataclass(frozen=True)
class Address:
    """A path with one parameter, and what the API's description says of it."""

    path: str
    parameter: str
    methods: dict[str, Any]

    def of(self, value: str) -> str:
        """The address with this id."""
        return self.path.replace(f"{{{self.parameter}}}", quote(value, safe="%"))

    def body(self, method: str) -> dict[str, Any] | None:
        """A body this method takes, from the examples of the description."""
        described = self.methods.get(method.lower(), {}).get("requestBody")
        if described is None:
            return None
        fields = described["content"]["application/json"]["schema"]["properties"]
        return {name: each["examples"][0] for name, each in fields.items() if "examples" in each}


def addresses(service: Service) -> list[Address]:
    """All paths with an id, as the running service describes them."""
    paths: dict[str, Any] = httpx.get(f"{service.url}/openapi.json").json()["paths"]
    return [
        Address(path, path.partition("{")[2].partition("}")[0], methods)
        for path, methods in paths.items()
        if "{" in path and path not in PERMISSIONS
    ]


@dataclass(frozen=True)
class Answer:
    """All of an answer that a stranger could compare."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def ask(person: httpx.Client, method: str, address: Address, value: str) -> Answer:
    """The answer, with the id that was sent taken out of it."""
    return _answer(person, method, address, value, address.body(method))


def ask_with_nothing(person: httpx.Client, method: str, address: Address, value: str) -> Answer:
    """The answer to a request without a body, which may be refused before an id is looked up."""
    return _answer(person, method, address, value, None)


def _answer(
    person: httpx.Client, method: str, address: Address, value: str, body: dict[str, Any] | None
) -> Answer:
    answer = person.request(method, address.of(value), json=body)
    headers = ((name, text) for name, text in answer.headers.items() if name != "date")
    return Answer(
        answer.status_code,
        tuple(sorted(headers)),
        answer.content.replace(value.encode(), UNKNOWN[address.parameter].encode()),
    )


def test_these_tests_can_make_every_kind_of_id_in_a_path(service: Service) -> None:
    found = addresses(service)

    assert {each.parameter for each in found} == MAKE.keys() == UNKNOWN.keys()
    assert all(each.path.count("{") == 1 for each in found)
    assert len(found) >= 5


@pytest.mark.parametrize("method", METHODS)
def test_a_strangers_id_is_answered_like_one_that_nobody_has(
    service: Service, alice: Person, bob: Person, method: str
) -> None:
    for address in addresses(service):
        foreign, unknown = MAKE[address.parameter](bob), UNKNOWN[address.parameter]
        before = bob.get(address.of(foreign)).content
        answer = ask(alice, method, address, foreign)

        assert answer == ask(alice, method, address, unknown), address.path
        assert ask_with_nothing(alice, method, address, foreign) == ask_with_nothing(
            alice, method, address, unknown
        ), address.path
        assert bob.get(address.of(foreign)).content == before, address.path
        if method.lower() in address.methods:
            _assert_nothing_found(address, answer)
            mine = ask(bob, method, address, foreign)
            assert mine.status < 300, address.path
            assert mine.body != answer.body, address.path


def _assert_nothing_found(address: Address, answer: Answer) -> None:
    if address.path in ANSWERS_EMPTY:
        assert answer.status == 200
        assert httpx.Response(200, content=answer.body).json() == ANSWERS_EMPTY[address.path]
    else:
        assert answer.status == 404, address.path
        assert b"not found" in answer.body


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("malformed", MALFORMED)
def test_a_malformed_id_is_answered_like_an_unknown_one(
    service: Service, alice: Person, method: str, malformed: str
) -> None:
    for address in addresses(service):
        if address.path in ANSWERS_EMPTY or method.lower() not in address.methods:
            continue
        unknown = ask(alice, method, address, UNKNOWN[address.parameter])

        assert ask(alice, method, address, malformed) == unknown, address.path


def test_a_list_names_nothing_of_another_tenant(
    service: Service, alice: Person, bob: Person
) -> None:
    ids = [make(bob) for make in MAKE.values()]
    paths = httpx.get(f"{service.url}/openapi.json").json()["paths"]
    lists = [path for path, methods in paths.items() if "get" in methods and "{" not in path]
    # A search knows its words; a list refuses what it does not know.
    addresses = [path + "?q=of+Bob" * (path in _SEARCHES) for path in lists]
    texts = {address: alice.get(address).text for address in addresses}
    own = "".join(bob.get(address).text for address in addresses)

    assert all(each in own for each in ids)
    assert not [path for path, text in texts.items() if any(each in text for each in ids)]


_SEARCHES = {"/api/memories", "/api/recall/unified"}


def later(first: list[float], second: list[float]) -> float:
    """How often one of the first took longer than one of the second: 0.5 where nothing differs."""
    pairs = [(a > b) + 0.5 * (a == b) for a in first for b in second]
    return statistics.fmean(pairs)


def times(
    person: Person, address: Address, values: tuple[str, str], rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds of each request; both values take turns, in an order made by chance."""
    taken: dict[str, list[float]] = {value: [] for value in values}
    order = random.Random(rounds)
    for _ in range(rounds):
        for value in order.sample(values, 2):
            started = time.perf_counter()
            person.get(address.of(value))
            taken[value].append(time.perf_counter() - started)
    return taken[values[0]], taken[values[1]]


def test_the_time_does_not_tell_a_strangers_id_from_one_that_nobody_has(
    service: Service, alice: Person, bob: Person
) -> None:
    """Ranks, not means: a pause of the machine is one rank, whatever its length.

    With 100 of each, two equal kinds lie between 0.3 and 0.7 but once in a million runs. What a
    busy machine would hide here, the next test counts.
    """
    for address in addresses(service):
        foreign, unknown = MAKE[address.parameter](bob), UNKNOWN[address.parameter]

        assert 0.3 < later(*times(alice, address, (foreign, unknown), 100)) < 0.7, address.path


@pytest.fixture
async def heard(
    database_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[httpx.ASGITransport, list[str]]]:
    """The web application in this process, and each statement as PostgreSQL gets it."""
    statements: list[str] = []

    async def listen(connection: Connection) -> None:
        connection.add_query_logger(lambda sent: statements.append(sent.query))

    make = asyncpg.create_pool
    monkeypatch.setattr(
        asyncpg, "create_pool", lambda *args, **more: make(*args, **more | {"init": listen})
    )
    settings = Settings.from_environment(
        {"MEMFERRY_DATABASE_URL": database_url, "MEMFERRY_DATA_DIR": str(home)}
    )
    async with open_web_app(settings) as app:
        yield httpx.ASGITransport(app), statements


@pytest.mark.parametrize("method", METHODS)
async def test_a_strangers_id_and_one_that_nobody_has_cost_the_same_statements(
    service: Service,
    alice: Person,
    bob: Person,
    heard: tuple[httpx.ASGITransport, list[str]],
    method: str,
) -> None:
    transport, statements = heard

    async def cost(address: Address, value: str) -> list[str]:
        statements.clear()
        body = address.body(method)
        await client.request(method, address.of(value), json=body, headers=alice.headers)
        return list(statements)

    async with httpx.AsyncClient(transport=transport, base_url="http://memferry") as client:
        for address in addresses(service):
            foreign = MAKE[address.parameter](bob)
            # A session asks for the types of a statement when it runs it for the first time.
            await cost(address, UNKNOWN[address.parameter])
            sent = await cost(address, foreign)

            assert sent == await cost(address, UNKNOWN[address.parameter]), address.path
            if method.lower() in address.methods:
                assert len(sent) >= 4, "who calls, BEGIN, at least one look-up, the end"
                malformed = len(await cost(address, "0"))
                assert malformed < len(sent) or address.path in ANSWERS_EMPTY
