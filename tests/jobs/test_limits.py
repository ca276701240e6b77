"""What one tenant may take: 429 with the limit's name, and when to ask again."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from memferry.errors import StatementTimedOut
from support.people import Person, make_person
from support.postgres import create_database, execute, open_database
from support.service import Service, run_own_service

EXPORTS = "/api/memories/exports"
PER_HOUR, UNFINISHED, ROWS, STORED, STATEMENT_SECONDS = 8, 2, 10_005, 3_000_000, 2
BYTES = 4_000_000


@pytest.fixture(scope="module")
def strict_url(database_url: str) -> Iterator[str]:
    with create_database(database_url) as url:
        yield url


@pytest.fixture(scope="module")
def strict(strict_url: str) -> Iterator[Service]:
    """A service with small limits."""
    with run_own_service(
        MEMFERRY_DATABASE_URL=strict_url,
        MEMFERRY_TENANT_EXPORTS_PER_HOUR=str(PER_HOUR),
        MEMFERRY_TENANT_UNFINISHED_EXPORTS=str(UNFINISHED),
        MEMFERRY_TENANT_STORED_BYTES=str(STORED),
        MEMFERRY_TENANT_REQUESTS_PER_MINUTE="60",
        MEMFERRY_EXPORT_ROWS=str(ROWS),
        MEMFERRY_EXPORT_BYTES=str(BYTES),
        MEMFERRY_STATEMENT_SECONDS=str(STATEMENT_SECONDS),
    ) as running:
        yield running


@pytest.fixture
def dave(strict: Service, strict_url: str) -> Iterator[Person]:
    """A tenant of the service with small limits."""
    with make_person("dave", strict, strict_url) as person:
        yield person


@pytest.fixture
def erin(strict: Service, strict_url: str) -> Iterator[Person]:
    """Another one."""
    with make_person("erin", strict, strict_url) as person:
        yield person


def ask(person: Person, **headers: str) -> httpx.Response:
    return person.post(EXPORTS, json={"format": "ndjson"}, headers=headers)


def run(url: str, statement: str) -> None:
    asyncio.run(execute(url, statement))


def queued(number: int, status: str = "pending") -> str:
    """The statement that gives the newest tenant that many unfinished exports."""
    lease = "'x', now() + interval '1 hour'" if status == "running" else "NULL, NULL"
    return f"""
        INSERT INTO memferry.jobs (tenant_id, id, type, status, request, needs, row_count,
            leased_by, leased_until)
        SELECT id, lpad(n::text, 26, '0'), 'export', '{status}', '{{}}', '{{parquet}}', 0, {lease}
        FROM memferry.tenants, generate_series(1, {number}) AS n
        WHERE tenants.created_at = (SELECT max(created_at) FROM memferry.tenants)
    """


def assert_refused(answer: httpx.Response, code: str, limit: int, longest: int) -> None:
    """The answer names the limit, and when it makes sense to ask again."""
    body = answer.json()
    assert (answer.status_code, body["code"]) == (429, code)
    assert f"limit of {limit:,} " in body["error"]
    assert 1 <= int(answer.headers["retry-after"]) <= longest


def test_exports_per_hour_are_counted_and_the_next_tenant_is_free(
    dave: Person, erin: Person
) -> None:
    asked = [ask(dave).status_code for _ in range(PER_HOUR)]
    refused = ask(dave)

    assert asked == [201] * PER_HOUR
    assert_refused(refused, "too_many_exports", PER_HOUR, 3600 // PER_HOUR)
    assert int(refused.headers["retry-after"]) > 3600 // PER_HOUR - 100
    assert ask(erin).status_code == 201


def test_deleting_exports_leaves_the_hourly_count(dave: Person) -> None:
    for _ in range(PER_HOUR):
        made = ask(dave).json()
        assert dave.delete(f"{EXPORTS}/{made['id']}").status_code == 204

    assert dave.get(EXPORTS).json() == {"exports": []}
    assert_refused(ask(dave), "too_many_exports", PER_HOUR, 3600 // PER_HOUR)


@pytest.mark.parametrize(
    ("time", "regained"), [("1 hour", PER_HOUR), ("1 day", PER_HOUR), ("17 minutes", 2)]
)
def test_the_bucket_of_exports_regains_its_size_within_an_hour(
    dave: Person, strict_url: str, time: str, regained: int
) -> None:
    for _ in range(PER_HOUR):
        ask(dave)
    run(strict_url, f"UPDATE memferry.export_buckets SET full_at = full_at - interval '{time}'")
    answers = [ask(dave).status_code for _ in range(PER_HOUR + 1)]

    assert answers == [201] * regained + [429] * (PER_HOUR + 1 - regained)


def test_concurrent_requests_never_exceed_the_exports_per_hour(dave: Person) -> None:
    with ThreadPoolExecutor(max_workers=3 * PER_HOUR) as pool:
        answers = list(pool.map(lambda _: ask(dave).status_code, range(3 * PER_HOUR)))

    assert sorted(answers) == [201] * PER_HOUR + [429] * 2 * PER_HOUR


def test_repeats_by_idempotency_key_count_as_one_export(dave: Person) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first = ask(dave, **key)
    repeats = [ask(dave, **key).json() for _ in range(PER_HOUR)]
    rest = [ask(dave).status_code for _ in range(PER_HOUR - 1)]

    assert {each["id"] for each in repeats} == {first.json()["id"]}
    assert rest == [201] * (PER_HOUR - 1)
    assert ask(dave).status_code == 429
    assert ask(dave, **key).json()["id"] == first.json()["id"]


@pytest.mark.parametrize("status", ["pending", "running"])
def test_an_export_beyond_the_quota_of_unfinished_exports_is_refused(
    dave: Person, strict_url: str, status: str
) -> None:
    assert ask(dave).status_code == 201
    run(strict_url, queued(UNFINISHED, status))
    refused = ask(dave)
    dave.delete(f"{EXPORTS}/{1:026d}")

    assert_refused(refused, "too_many_unfinished_exports", UNFINISHED, 60)
    assert ask(dave).status_code == 201


def test_stored_bytes_count_toward_the_quota_until_they_are_deleted(dave: Person) -> None:
    for _ in range(2):
        dave.save("x" * 1_000_000)
    first, second = ask(dave), ask(dave)
    refused = ask(dave)
    dave.delete(f"{EXPORTS}/{first.json()['id']}")

    assert (first.status_code, second.status_code) == (201, 201)
    assert_refused(refused, "too_many_stored_bytes", STORED, 7 * 24 * 3600 + 1)
    assert int(refused.headers["retry-after"]) > 7 * 24 * 3600 - 60
    assert ask(dave).status_code == 201


def test_an_export_of_too_many_rows_is_refused_with_the_numbers(dave: Person) -> None:
    dave.save_many([{"content": str(number)} for number in range(ROWS + 1)])
    refused = ask(dave)
    estimate = dave.post(f"{EXPORTS}/estimate", json={})
    dave.delete(f"/api/memories/{dave.get('/api/memories?limit=1').json()[0]['id']}")

    assert (refused.status_code, refused.json()["code"]) == (422, "export_too_large")
    assert "10,006 rows, and 10,005 is the limit" in refused.json()["error"]
    assert (estimate.status_code, estimate.json()) == (422, refused.json())
    assert dave.get(EXPORTS).json() == {"exports": []}
    assert ask(dave).json()["row_count"] == ROWS


def test_an_export_of_too_many_bytes_fails_at_once_with_the_number(dave: Person) -> None:
    dave.save_many([{"content": "x" * 500}] * 10_001)
    done = dave.wait_for(ask(dave).json())

    assert (done["status"], done["error_code"]) == ("failed", "export_too_large")
    assert f"{BYTES:,} bytes" in done["error"]
    assert done["retryable"] is False
    assert done["download_url"] is None


def test_requests_are_counted_by_the_minute_for_each_tenant(dave: Person, erin: Person) -> None:
    answers = [dave.get("/api/namespaces") for _ in range(80)]
    refused = next(each for each in answers if each.status_code != 200)

    assert {each.status_code for each in answers} == {200, 429}
    assert_refused(refused, "too_many_requests", 60, 2)
    assert erin.get("/api/namespaces").status_code == 200


def test_health_and_unknown_tokens_are_not_limited(strict: Service) -> None:
    for _ in range(80):
        assert httpx.get(f"{strict.url}/api/health").status_code == 200
    wrong = {"Authorization": "Bearer mnu_wrong"}

    assert httpx.get(f"{strict.url}/api/namespaces", headers=wrong).status_code == 401


async def test_a_statement_of_a_request_times_out_before_one_of_an_export(
    database_url: str,
) -> None:
    took = {}
    limits = {"size": 1, "statement_seconds": 1, "long_running_seconds": 2}
    async with open_database(database_url, **limits) as database:
        for patient in (False, True):
            began = time.monotonic()
            with pytest.raises(StatementTimedOut):
                async with database.tenant(uuid4(), long_running=patient) as connection:
                    await connection.execute("SELECT pg_sleep(30)")
            took[patient] = time.monotonic() - began

    assert 0.9 < took[False] < 1.9 < took[True] < 10


@pytest.mark.parametrize(
    ("method", "path", "table"),
    [
        ("POST", EXPORTS, "memories"),
        ("GET", f"{EXPORTS}/{'0' * 26}", "jobs"),
        ("GET", "/api/memories?q=x", "memories"),
        ("GET", "/api/namespaces", "memories"),
        ("DELETE", f"/api/memories/{UUID(int=1)}", "memories"),
        ("GET", "/api/webhooks", "webhooks"),
    ],
)
async def test_no_request_waits_longer_for_the_database_than_the_setting_says(
    dave: Person, strict_url: str, method: str, path: str, table: str
) -> None:
    owner = await asyncpg.connect(strict_url)
    async with owner.transaction():
        await owner.execute(f"LOCK TABLE memferry.{table} IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        answer = await asyncio.to_thread(dave.request, method, path)
        took = time.monotonic() - began
    await owner.close()

    assert STATEMENT_SECONDS - 0.1 < took < STATEMENT_SECONDS + 5
    assert (answer.status_code, answer.json()["code"]) == (503, "statement_timed_out")
    assert "longer than a request may take" in answer.json()["error"]
    assert int(answer.headers["retry-after"]) > 0
