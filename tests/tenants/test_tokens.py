"""Tokens: made, shown once, limited in time, revoked at once; over HTTP and on the command line."""

import asyncio
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from memferry.database.pool import SERVICE_ROLE
from memferry.database.sql import sql
from memferry.errors import NamespaceForbidden
from memferry.jobs.queue import Queue
from memferry.model.token import USUAL_SCOPES, Caller, Grant
from memferry.settings import WorkerSettings
from memferry.tenants.tokens import BearerToken, make_token_row
from support.command_line import run_memferry
from support.people import Person
from support.postgres import open_database
from support.tokens import create_admin, create_holder, fetchval, read_tenant_id

_TOKENS = "/api/tokens"


@pytest.fixture
def admin(alice: Person, database_url: str) -> Iterator[Person]:
    """Alice with a token that may do everything."""
    with create_admin(alice, database_url) as person:
        yield person


def person(like: Person, text: str) -> Person:
    return Person(like.name, str(like.base_url), text)


def create(admin: Person, **body: Any) -> dict[str, Any]:
    answer = admin.post(_TOKENS, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made: dict[str, Any] = answer.json()
    return made


def test_a_token_is_shown_once_and_works(admin: Person, database_url: str) -> None:
    made = create(admin, name="laptop", scopes=["memories:read"])
    row = {name: value for name, value in made.items() if name != "token"}
    with person(admin, made["token"]) as laptop:
        status = laptop.get("/api/memories").status_code

    assert status == 200
    assert made["token"].startswith("mnu_")
    assert row["prefix"] == made["token"][:12]
    assert (row["name"], row["scopes"]) == ("laptop", ["memories:read"])
    assert (row["namespaces"], row["expires_at"], row["revoked_at"]) == (None, None, None)
    assert admin.get(f"{_TOKENS}/{row['id']}").json() == row
    assert admin.get(_TOKENS).json()["tokens"][0] == row
    stored = asyncio.run(
        fetchval(
            database_url,
            "SELECT to_jsonb(tokens)::text FROM memferry.tokens WHERE id = $1",
            UUID(row["id"]),
        )
    )
    assert hashlib.sha256(made["token"].encode()).hexdigest() in stored
    assert made["token"][12:] not in stored


def test_a_token_has_all_but_admin_unless_scopes_are_given(admin: Person) -> None:
    assert create(admin)["scopes"] == list(USUAL_SCOPES)
    assert create(admin, scopes=None)["scopes"] == list(USUAL_SCOPES)
    assert create(admin, scopes=["admin", "admin"])["scopes"] == ["admin"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes"),
        ({"scopes": "admin"}, "scopes"),
        ({"namespaces": []}, "namespaces"),
        ({"namespaces": ["a", ""]}, "namespaces[1]"),
        ({"namespaces": ["a\x00"]}, "namespaces[0]"),
        ({"namespaces": ["a"] + [f"n{i}" for i in range(100)]}, "namespaces"),
        ({"expires_at": -1}, "expires_at"),
        ({"expires_at": 1_000}, "expires_at"),
        ({"name": "n" * 201}, "name"),
        ({"namespace": "a"}, "namespace"),
    ],
)
def test_an_invalid_request_for_a_token_is_refused_by_its_field(
    admin: Person, body: dict[str, Any], field: str
) -> None:
    before = admin.get(_TOKENS).json()
    answer = admin.post(_TOKENS, json=body)

    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert admin.get(_TOKENS).json() == before


def test_namespaces_of_a_token_given_twice_are_refused(admin: Person) -> None:
    answer = admin.post(_TOKENS, content=b'{"namespaces": ["a"], "namespaces": null}')

    assert answer.status_code == 400


def test_an_expired_token_is_unknown(admin: Person) -> None:
    made = create(admin, expires_at=int(time.time() * 1000) + 1500)
    with person(admin, made["token"]) as guest:
        before = guest.get("/api/memories").status_code
        while time.time() * 1000 <= made["expires_at"]:
            time.sleep(0.05)
        after = guest.get("/api/memories")

    assert (before, after.status_code) == (200, 401)
    assert after.json()["code"] == "unknown_token"


def test_a_revoked_token_is_refused_at_the_next_request(admin: Person) -> None:
    made = create(admin)
    with person(admin, made["token"]) as guest:
        export = guest.export()
        revoked = [admin.delete(f"{_TOKENS}/{made['id']}").status_code for _ in range(2)]
        answers = [
            guest.post("/api/memories/exports", json={}),
            guest.get(f"/api/memories/exports/{export['id']}"),
        ]
    first = admin.get(f"{_TOKENS}/{made['id']}").json()["revoked_at"]

    assert revoked == [204, 204]
    assert [each.status_code for each in answers] == [401, 401]
    assert first is not None
    assert admin.delete(f"{_TOKENS}/{made['id']}").status_code == 204
    assert admin.get(f"{_TOKENS}/{made['id']}").json()["revoked_at"] == first


_PENDING = """
INSERT INTO memferry.jobs (tenant_id, id, type, status, request, needs, row_count, token_id,
    attempt, failures, leased_by, leased_until)
SELECT tokens.tenant_id, $2, 'export', $3, '{"format":"json","filters":{}}', ARRAY[$5], 1,
    tokens.id, 1, 1, $4,
    CASE WHEN $4::text IS NOT NULL THEN now() + interval '1 hour' END
FROM memferry.tokens WHERE sha256 = $1
RETURNING tenant_id
"""


async def insert(
    database_url: str, text: str, number: int, status: str, file_format: str = "nobody writes it"
) -> UUID:
    """An export of this token that no worker of the service takes; its tenant."""
    found: UUID = await fetchval(
        database_url,
        _PENDING,
        hashlib.sha256(text.encode()).digest(),
        f"{time.time_ns():021d}{number:05d}",
        status,
        "somebody" if status == "running" else None,
        file_format,
    )
    return found


@pytest.mark.parametrize("way", ["http", "command line"])
def test_revoking_cancels_the_pending_and_running_exports_of_the_token_and_no_others(
    admin: Person, database_url: str, tmp_path: Path, way: str
) -> None:
    made, other = create(admin), create(admin)
    for number, status in enumerate(("pending", "running")):
        asyncio.run(insert(database_url, made["token"], number, status))
        asyncio.run(insert(database_url, other["token"], 10 + number, status))
    with person(admin, made["token"]) as guest:
        small = guest.export()
    if way == "http":
        assert admin.delete(f"{_TOKENS}/{made['id']}").status_code == 204
    else:
        external = {"MEMFERRY_DATABASE_URL": database_url, "MEMFERRY_DATA_DIR": str(tmp_path)}
        assert run_memferry("token", "revoke", made["id"], settings=external).returncode == 0
    found = {
        each["id"]: each["status"] for each in admin.get("/api/memories/exports").json()["exports"]
    }

    assert found.pop(small["id"]) == "completed"
    assert {status for each, status in found.items() if each.endswith(("00000", "00001"))} == {
        "cancelled"
    }
    assert {status for each, status in found.items() if each.endswith(("00010", "00011"))} == {
        "pending",
        "running",
    }


def test_an_export_queued_while_its_token_is_revoked_ends_when_a_worker_takes_it(
    admin: Person, database_url: str
) -> None:
    made = create(admin)
    admin.delete(f"{_TOKENS}/{made['id']}")
    asyncio.run(insert(database_url, made["token"], 0, "pending", "mine"))

    async def take() -> object:
        async with open_database(database_url, size=1) as database:
            jobs = Queue(database, WorkerSettings(lease_seconds=20))
            claim = await jobs.claim("test", ["mine"])
            assert claim is not None
            return await jobs.read(claim)

    assert asyncio.run(take()) is None
    assert admin.get("/api/memories/exports").json()["exports"][0]["status"] == "cancelled"
    (noted,) = admin.get("/api/audit?event=export.cancelled").json()["entries"]
    assert (noted["token_id"], noted["detail"]) == (made["id"], "token revoked")


def test_tokens_of_another_tenant_are_not_found(
    admin: Person, bob: Person, database_url: str
) -> None:
    made = create(admin)
    with create_admin(bob, database_url) as other:
        answers = [other.get(f"{_TOKENS}/{made['id']}"), other.delete(f"{_TOKENS}/{made['id']}")]
        nothing = [other.get(f"{_TOKENS}/none"), other.delete(f"{_TOKENS}/{UUID(int=0)}")]
        listed = [each["id"] for each in other.get(_TOKENS).json()["tokens"]]

    assert [each.status_code for each in (*answers, *nothing)] == [404] * 4
    assert answers[0].content == nothing[0].content
    assert made["id"] not in listed
    assert admin.get(f"{_TOKENS}/{made['id']}").json()["revoked_at"] is None


def test_an_admin_token_within_namespaces_manages_no_other_namespace(
    alice: Person, admin: Person, database_url: str
) -> None:
    whole = create(admin)
    with create_admin(alice, database_url, namespaces=("a", "b")) as limited:
        refused = [
            limited.post(_TOKENS, json={}),
            limited.post(_TOKENS, json={"namespaces": ["a", "c"]}),
        ]
        made = create(limited, namespaces=["a"], scopes=["admin"])
        seen = {each["id"] for each in limited.get(_TOKENS).json()["tokens"]}
        hidden = limited.delete(f"{_TOKENS}/{whole['id']}").status_code

    assert [each.status_code for each in refused] == [403, 403]
    assert [each.json()["field"] for each in refused] == ["namespaces", "namespaces[1]"]
    assert {each.json()["code"] for each in refused} == {"namespace_forbidden"}
    assert made["id"] in seen
    assert whole["id"] not in seen
    assert hidden == 404
    assert admin.get(f"{_TOKENS}/{whole['id']}").json()["revoked_at"] is None


async def test_the_database_stores_no_token_beyond_the_namespaces_of_its_creator(
    alice: Person, database_url: str
) -> None:
    creator = Caller(tenant_id=await read_tenant_id(alice, database_url), namespaces=("a", "b"))
    async with open_database(database_url) as database:
        for namespaces in (None, ("a", "c")):
            row = make_token_row(BearerToken.make(), "wide", Grant(namespaces=namespaces))
            with pytest.raises(NamespaceForbidden):
                async with database.tenant(creator) as connection:
                    await connection.fetchrow(sql("tenants/create_tenant_token"), *row)


async def test_the_service_can_store_a_digest_of_a_token_but_read_none_of_a_tenant(
    database_url: str,
) -> None:
    settings = {"role": SERVICE_ROLE, "search_path": SERVICE_ROLE}
    session = await asyncpg.connect(database_url, server_settings=settings)
    async with session.transaction():
        await session.execute(f"SET LOCAL memferry.tenant = '{UUID(int=1)}'")
        rows = await session.fetch("SELECT id, prefix FROM tokens")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await session.fetch("SELECT sha256 FROM tokens")
    await session.close()

    assert rows == []


def test_token_create_gives_the_scopes_and_namespaces_of_its_options(
    alice: Person, database_url: str, tmp_path: Path
) -> None:
    external = {"MEMFERRY_DATABASE_URL": database_url, "MEMFERRY_DATA_DIR": str(tmp_path)}
    tenant = f"erin-{time.time_ns()}"
    made = run_memferry(
        *("token", "create", "--tenant", tenant, "--expires", "2999-12-31"),
        *("--scope", "memories:read", "--scope", "admin", "--namespace", "a", "--namespace", "b"),
        settings=external,
    )
    with person(alice, made.stdout.decode().strip()) as erin:
        (row,) = erin.get(_TOKENS).json()["tokens"]
        refused = erin.post("/api/memories", json={"content": "x", "namespace": "a"})

    assert row["scopes"] == ["memories:read", "admin"]
    assert row["namespaces"] == ["a", "b"]
    assert row["expires_at"] == 32503593600000
    assert refused.json()["scope"] == "memories:write"


@pytest.mark.parametrize(
    ("option", "word"),
    [(("--scope", "root"), "scopes"), (("--expires", "2020-01-01"), "expires_at")],
)
def test_token_create_refuses_invalid_options_in_one_line(
    database_url: str, tmp_path: Path, option: tuple[str, ...], word: str
) -> None:
    external = {"MEMFERRY_DATABASE_URL": database_url, "MEMFERRY_DATA_DIR": str(tmp_path)}
    done = run_memferry("token", "create", "--tenant", "erin", *option, settings=external)

    assert done.returncode == 1
    assert done.stderr.decode().startswith(f"memferry: {word}: ")


def test_a_token_without_the_write_scope_only_reads(alice: Person, database_url: str) -> None:
    row = alice.save("green tea")
    with create_holder(alice, database_url, scopes=("memories:read",)) as reader:
        assert reader.get(f"/api/memories/{row['id']}").json() == row
        assert reader.delete(f"/api/memories/{row['id']}").status_code == 403
    assert alice.get(f"/api/memories/{row['id']}").status_code == 200
