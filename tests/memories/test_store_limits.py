"""What one tenant may store, and how it is told: by name when it is reached, and by /api/limits."""

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from memferry.audit.service import Audit
from memferry.model.audit import Entry
from memferry.model.token import Caller
from memferry.request_rate import RequestRate
from support.people import Person, make_person
from support.postgres import create_database, open_database
from support.service import Service, run_own_service
from support.tokens import create_admin, create_holder

ROWS, BYTES = 10, 100_000
MESSAGES, MESSAGE_BYTES, PROJECTS = 3, 50_000, 2
BULK = "/v1/memories/bulk"


@pytest.fixture(scope="module")
def url(database_url: str) -> Iterator[str]:
    with create_database(database_url) as url:
        yield url


@pytest.fixture(scope="module")
def small(url: str) -> Iterator[Service]:
    """A service where a tenant may store little."""
    with run_own_service(
        "--no-worker",  # nothing is delivered here
        MEMFERRY_DATABASE_URL=url,
        # One comes back in six minutes, and not while a test looks.
        MEMFERRY_TENANT_EXPORTS_PER_HOUR="10",
        MEMFERRY_TENANT_MEMORIES=str(ROWS),
        MEMFERRY_TENANT_MEMORY_BYTES=str(BYTES),
        MEMFERRY_TENANT_PROJECTS=str(PROJECTS),
        MEMFERRY_TENANT_WAITING_MESSAGES=str(MESSAGES),
        MEMFERRY_TENANT_WAITING_MESSAGE_BYTES=str(MESSAGE_BYTES),
    ) as running:
        yield running


@pytest.fixture
def alice(small: Service, url: str) -> Iterator[Person]:
    with make_person("alice", small, url) as person:
        yield person


@pytest.fixture
def bob(small: Service, url: str) -> Iterator[Person]:
    with make_person("bob", small, url) as person:
        yield person


def used(person: Person, name: str) -> int:
    limits = person.get("/api/limits").json()
    number: int = limits[name]["used"]
    return number


def bulk(person: Person, *contents: str) -> Any:
    return person.post(BULK, json={"items": [{"content": text} for text in contents]})


def assert_refused(answer: Any, code: str, limit: int) -> None:
    assert (answer.status_code, answer.json()["code"]) == (429, code)
    assert f"limit of {limit:,} " in answer.json()["error"]
    assert int(answer.headers["retry-after"]) > 0


def test_a_tenant_may_have_so_many_memories_and_the_next_tenant_as_many(
    alice: Person, bob: Person
) -> None:
    rows = [alice.save("x") for _ in range(ROWS)]

    assert_refused(alice.post("/api/memories", json={"content": "x"}), "too_many_memories", ROWS)
    assert_refused(bulk(alice, "x"), "too_many_memories", ROWS)
    bob.save("x")
    assert alice.delete(f"/api/memories/{rows[0]['id']}").status_code == 204
    alice.save("x")


def test_a_bulk_save_that_would_pass_the_limit_saves_nothing(alice: Person) -> None:
    alice.save("x")

    assert_refused(bulk(alice, *"x" * ROWS), "too_many_memories", ROWS)
    assert len(alice.get("/api/memories").json()) == 1
    assert bulk(alice, *"x" * (ROWS - 1)).json()["saved"] == ROWS - 1


def test_a_tenant_with_so_many_bytes_gets_no_more(alice: Person) -> None:
    row = alice.save("x" * BYTES)

    assert_refused(
        alice.post("/api/memories", json={"content": "x"}), "too_many_memory_bytes", BYTES
    )
    assert_refused(bulk(alice, "x"), "too_many_memory_bytes", BYTES)
    assert alice.delete(f"/api/memories/{row['id']}").status_code == 204
    alice.save("x")


def test_a_full_tenant_may_make_a_memory_smaller_and_not_larger(alice: Person) -> None:
    path = f"/api/memories/{alice.save('x' * BYTES)['id']}"

    larger = alice.patch(path, json={"content": "x" * (BYTES + 1)})
    assert_refused(larger, "too_many_memory_bytes", BYTES)
    assert alice.patch(path, json={"tags": ["a"], "content": "y" * (BYTES - 1)}).status_code == 200
    assert alice.patch(path, json={"content": "x"}).status_code == 200
    assert alice.patch(path, json={"content": "x" * 500}).status_code == 200
    assert len(alice.get(path).json()["content"]) == 500


def test_the_counted_usage_equals_the_stored_rows_and_bytes(alice: Person) -> None:
    rows = [alice.save("é" * number, source_ref="ref", tags=["a", "bc"]) for number in range(1, 4)]
    bulk(alice, "large", "ones")
    alice.patch(f"/api/memories/{rows[0]['id']}", json={"metadata": {"key": [1.5]}})
    alice.patch(f"/api/memories/{rows[1]['id']}", json={"content": "short", "tags": []})
    alice.delete(f"/api/memories/{rows[2]['id']}")
    texts = ["é" + "ref" + "a,bc" + '{"key":[1.5]}', "short" + "ref", "large", "ones"]

    assert used(alice, "memories") == 4
    assert used(alice, "memory_bytes") == sum(len(text.encode()) for text in texts)


def test_a_refused_save_adds_nothing_to_the_usage(alice: Person) -> None:
    assert bulk(alice, "", "").status_code == 400
    assert alice.post("/api/memories", json={"content": ""}).status_code == 400

    assert (used(alice, "memories"), used(alice, "memory_bytes")) == (0, 0)


def test_the_limits_list_every_quota_with_its_usage(alice: Person, url: str) -> None:
    alice.export(format="json")
    with create_admin(alice, url) as admin:
        admin.post("/api/webhooks", json={"url": "https://example.com/hook"})
    limits = alice.get("/api/limits").json()

    assert limits["memories"] == {"limit": ROWS, "used": 0}
    assert limits["memory_bytes"] == {"limit": BYTES, "used": 0}
    assert limits["webhooks"] == {"limit": 50, "used": 1}
    assert limits["exports_per_hour"] == {"limit": 10, "used": 1}
    assert limits["unfinished_exports"] == {"limit": 1000, "used": 0}
    assert limits["stored_bytes"] == {"limit": 100 * 1024**3, "used": 2}
    assert limits["audit_notes_per_minute"] == {"limit": 60, "used": None}
    assert limits["requests_per_minute"] == {"limit": 60_000, "used": None}


def dropped(person: Person) -> list[int]:
    return [hook["dropped"] for hook in person.get("/api/webhooks").json()["endpoints"]]


@pytest.fixture
def admin(alice: Person, url: str) -> Iterator[Person]:
    """Alice with two webhooks that wait to be told."""
    with create_admin(alice, url) as admin:
        for name in ("one", "two"):
            admin.post("/api/webhooks", json={"url": f"https://example.com/{name}"})
        yield admin


def test_a_save_succeeds_without_a_message_where_too_many_messages_wait(
    alice: Person, admin: Person
) -> None:
    rows = [alice.save("x") for _ in range(MESSAGES + 1)]
    bulk(alice, "x", "y")
    alice.delete(f"/api/memories/{rows[0]['id']}")

    assert used(alice, "waiting_messages") == MESSAGES
    assert used(alice, "memories") == MESSAGES + 2
    assert dropped(admin) == [4, 4]


def test_a_large_message_is_kept_once_for_all_webhooks(alice: Person, admin: Person) -> None:
    alice.save("x" * 30_000)
    once = used(alice, "waiting_message_bytes")
    alice.save("x" * 30_000)
    alice.save("x")

    assert 30_000 < once < 31_000
    assert used(alice, "waiting_message_bytes") == 2 * once
    assert dropped(admin) == [1, 1]


def test_waiting_messages_of_all_namespaces_are_counted_for_a_limited_token(
    alice: Person, admin: Person, url: str
) -> None:
    rights: Any = {"scopes": ("memories:read", "memories:write"), "namespaces": ("a",)}
    with create_holder(alice, url, **rights) as limited:
        for _ in range(MESSAGES + 1):
            limited.save("x", namespace="a")

    assert dropped(admin) == [1, 1]


def test_the_limits_show_a_limited_token_no_usage_of_other_namespaces(
    alice: Person, url: str
) -> None:
    with create_holder(alice, url, scopes=("memories:read",), namespaces=("a",)) as limited:
        answer = limited.get("/api/limits")

    assert (answer.status_code, answer.json()["code"]) == (403, "namespace_forbidden")


def test_refusals_beyond_a_rate_are_counted_and_not_noted_one_by_one(url: str) -> None:
    def refusal(number: int) -> Entry:
        subject = f"GET /{number % 2}"
        return Entry(event="request.denied", outcome="not_found", subject=subject, size_bytes=3)

    async def note() -> list[tuple[str, int, int]]:
        connection = await asyncpg.connect(url)
        tenant = await connection.fetchval(
            "INSERT INTO memferry.tenants VALUES (gen_random_uuid(), 'noted') RETURNING id"
        )
        async with open_database(url) as database:
            audit = Audit(database, RequestRate(4))
            for number in range(24):
                await audit.record(Caller(tenant_id=tenant), refusal(number))
            await audit.aclose()
        rows = await connection.fetch(
            "SELECT subject, times, byte_count FROM memferry.audit WHERE tenant_id = $1 "
            "ORDER BY times, subject",
            tenant,
        )
        await connection.close()
        return [tuple(row) for row in rows]

    assert asyncio.run(note()) == [
        *(("GET /0", 1, 3), ("GET /0", 1, 3), ("GET /1", 1, 3), ("GET /1", 1, 3)),
        *(("GET /0", 10, 30), ("GET /1", 10, 30)),
    ]


def test_a_tenant_creates_no_more_projects_than_it_may_have(alice: Person) -> None:
    made = [alice.post("/api/projects", json={"name": f"p{i}"}) for i in range(PROJECTS + 1)]
    alice.save("x", namespace="used")
    listed = alice.get("/api/projects").json()["projects"]

    assert [answer.status_code for answer in made] == [*[201] * PROJECTS, 429]
    assert made[-1].json()["code"] == "too_many_projects"
    assert len(listed) == used(alice, "projects") == PROJECTS + 1
