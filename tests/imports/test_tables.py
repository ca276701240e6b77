"""Tables of other memory systems come in from their own database, by COPY to COPY."""
# ruff: noqa: E501 - rows of other systems

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest

from memferry.errors import Invalid, TooManyMemories
from memferry.imports.request import ImportRequest
from memferry.imports.table_import import TableImport
from memferry.model.identity import derive_memory_id
from memferry.model.token import Grant
from memferry.settings import Quotas
from memferry.tenants.operator import Operator
from memferry.wire.imports import ImportReport
from support.command_line import run_memferry
from support.people import Person
from support.postgres import execute, open_database
from support.service import Service

LANGGRAPH = """
CREATE TABLE store (
    prefix text NOT NULL, key text NOT NULL, value jsonb NOT NULL, created_at timestamptz, updated_at timestamptz,
    expires_at timestamptz, ttl_minutes integer, PRIMARY KEY (prefix, key));
"""
MEM0 = "CREATE TABLE mem0 (id uuid PRIMARY KEY, vector real[], payload jsonb);"
OPEN_WEBUI = """
CREATE TABLE memory (id varchar PRIMARY KEY, user_id varchar, content text, updated_at bigint, created_at bigint);
"""


class Tenant:
    """A tenant of ours, and the database of another system that it moves from."""

    def __init__(self, person: Person, name: str, id_: UUID, url: str, foreign_url: str) -> None:
        self.person = person
        self.name = name
        self.id = id_
        self.url = url
        self.foreign_url = foreign_url

    def fill(self, *statements: str) -> None:
        for statement in statements:
            asyncio.run(execute(self.foreign_url, statement))

    def import_table(
        self, table: str | None = None, *, quotas: Quotas = Quotas(), **options: Any
    ) -> ImportReport:
        async def run() -> ImportReport:
            async with open_database(self.url) as database:
                request = ImportRequest(**options)
                return await TableImport(database, quotas).run(
                    self.id, self.foreign_url, request, table
                )

        return asyncio.run(run())

    def read_memories(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.person.export(format="json")["payload"])
        return rows


@pytest.fixture
def tenant(service: Service, database_url: str) -> Iterator[Tenant]:
    operator, name = Operator(database_url), f"alice-{uuid4()}"
    token = asyncio.run(operator.create_token(name, "alice", Grant()))
    id_ = asyncio.run(operator.ensure_tenant(name))
    foreign = f"foreign_{uuid4().hex[:12]}"
    asyncio.run(execute(database_url, f"CREATE DATABASE {foreign}"))
    with Person("alice", service.url, token.text) as person:
        foreign_url = urlsplit(database_url)._replace(path=f"/{foreign}").geturl()
        yield Tenant(person, name, id_, database_url, foreign_url)
    asyncio.run(execute(database_url, f"DROP DATABASE {foreign} WITH (FORCE)"))


def test_a_store_of_langgraph_keeps_names_times_and_every_field(tenant: Tenant) -> None:
    tenant.fill(
        LANGGRAPH,
        """INSERT INTO store VALUES
        ('ada.facts', 'k1', '{"content": "Owns two bikes", "n": 1.50}', '2026-01-02 03:04:05.6789+00',
            '2026-01-03+00', '2030-01-01+00', 5),
        ('ada', 'k2', '{"x": [1, 2]}', '2026-01-02+00', '2026-01-02+00', NULL, NULL)""",
    )
    report = tenant.import_table()
    rows = {row["source_ref"]: row for row in tenant.read_memories()}

    assert (report.sources, report.created, report.read) == (["langgraph"], 2, 2)
    assert rows["k1"]["content"] == "Owns two bikes"
    assert rows["k1"]["namespace"] == "ada.facts"
    assert (rows["k1"]["created_at"], rows["k1"]["updated_at"]) == (1767323045679, 1767398400000)
    assert rows["k1"]["metadata"]["n"] == 1.5
    assert rows["k1"]["metadata"]["import"] == {
        "source": "langgraph", "reader": 1, "time_from": "record",
        "expires_at": "2030-01-01T00:00:00+00:00",
    }  # fmt: skip
    assert rows["k2"]["content"] == '{"x": [1, 2]}'


def test_a_collection_of_mem0_has_its_text_and_times_in_the_payload(tenant: Tenant) -> None:
    tenant.fill(
        MEM0,
        """INSERT INTO mem0 (id, payload) VALUES
        ('00000000-0000-0000-0000-000000000001', '{"data": "Likes rye", "user_id": "ada", "hash": "h",
            "created_at": "2026-01-02T03:04:05.678901-08:00", "updated_at": null}'),
        ('00000000-0000-0000-0000-000000000002', '{"data": "Keeps bees", "created_at": "2026-02-31"}')""",
    )
    tenant.import_table()
    rows = {row["content"]: row for row in tenant.read_memories()}

    rye, bees = rows["Likes rye"], rows["Keeps bees"]
    assert (rye["namespace"], rye["created_at"]) == ("ada", 1767351845679)
    assert rye["metadata"]["hash"] == "h"
    assert bees["metadata"]["created_at"] == "2026-02-31"
    assert bees["metadata"]["import"]["time_from"] == "import"


def test_times_without_a_zone_are_of_the_zone_that_was_named(tenant: Tenant) -> None:
    tenant.fill(
        MEM0,
        """INSERT INTO mem0 (id, payload) VALUES (gen_random_uuid(), '{"data": "a", "created_at": "2026-01-01T00:00:00"}')""",
    )
    tenant.import_table(timezone="Europe/Zurich")

    assert tenant.read_memories()[0]["created_at"] == 1767222000000


def test_memories_of_open_webui_have_their_times_in_seconds(tenant: Tenant) -> None:
    tenant.fill(
        OPEN_WEBUI, "INSERT INTO memory VALUES ('m1', 'ada', 'Hello', 1714000001, 1714000000)"
    )
    tenant.import_table(namespace="home", tags=("moved",))

    (row,) = tenant.read_memories()
    assert (row["namespace"], row["tags"], row["source_ref"]) == ("home", ["moved"], "m1")
    assert (row["created_at"], row["updated_at"]) == (1714000000000, 1714000001000)


def test_a_second_import_changes_nothing_and_ids_are_those_of_a_file(tenant: Tenant) -> None:
    awkward = 'a"\\/\x1f\té\U0001f600'
    tenant.fill(OPEN_WEBUI)
    asyncio.run(_insert(tenant.foreign_url, awkward))
    first, second = tenant.import_table(), tenant.import_table()

    (row,) = tenant.read_memories()
    assert (first.created, second.created, second.unchanged) == (1, 0, 1)
    assert UUID(row["id"]) == derive_memory_id(awkward, "open_webui", awkward, 1714000000000)


async def _insert(url: str, text: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO memory VALUES ($1, $1, 'x', 1714000000, 1714000000)", text
    )
    await connection.close()


BAD_ROWS = (
    OPEN_WEBUI,
    """INSERT INTO memory VALUES ('good', 'ada', 'x', 1, 1), ('empty', 'ada', '', 1, 1), ('null', 'ada', NULL, 1, 1),
    ('large', 'ada', repeat('x', 1048577), 1, 1), ('space', repeat('n', 513), 'x', 1, 1),
    ('early', 'ada', 'x', -1, -1), ('late', 'ada', 'x', 99999999999, 99999999999)""",
)


def test_a_row_that_a_save_would_refuse_is_named_and_leaves_nothing(tenant: Tenant) -> None:
    tenant.fill(*BAD_ROWS)
    report = tenant.import_table()

    reasons = {rejection.at: rejection.reason for rejection in report.rejections}
    assert reasons == {
        "row empty": "content: must not be empty",
        "row null": "content: must not be empty",
        "row large": "content: larger than 1048576 bytes",
        "row space": "namespace: longer than 512 characters",
        "row early": "created_at: is not between 0 and 8640000000000000",
        "row late": "created_at: lies in the future",
    }
    assert (report.created, report.rejected, report.read) == (0, 6, 7)
    assert tenant.read_memories() == []


def test_on_error_skip_keeps_the_good_rows(tenant: Tenant) -> None:
    tenant.fill(*BAD_ROWS)
    report = tenant.import_table(on_error="skip")

    assert (report.created, report.rejected) == (1, 6)
    assert [row["source_ref"] for row in tenant.read_memories()] == ["good"]


def test_metadata_that_a_save_would_refuse_is_refused(tenant: Tenant) -> None:
    deep = '{"content":"x","a":' + "[" * 70 + "]" * 70 + "}"
    tenant.fill(LANGGRAPH, f"INSERT INTO store (prefix, key, value) VALUES ('p', 'deep', '{deep}')")
    report = tenant.import_table()

    assert [rejection.reason for rejection in report.rejections] == [
        "metadata: nested deeper than 64 levels"
    ]


def test_a_dry_run_stores_nothing_and_reports_the_same(tenant: Tenant) -> None:
    tenant.fill(OPEN_WEBUI, "INSERT INTO memory VALUES ('m1', 'ada', 'Hello', 1, 1)")
    report = tenant.import_table(dry_run=True)

    assert report.created == 1
    assert tenant.read_memories() == []


def test_more_than_the_tenant_may_have_leaves_nothing(tenant: Tenant) -> None:
    tenant.fill(
        OPEN_WEBUI, "INSERT INTO memory VALUES ('1', 'a', 'x', 1, 1), ('2', 'a', 'y', 1, 1)"
    )

    with pytest.raises(TooManyMemories):
        tenant.import_table(quotas=Quotas(memories=1))
    assert tenant.read_memories() == []


def test_new_ids_make_new_memories_of_the_same_rows(tenant: Tenant) -> None:
    tenant.fill(OPEN_WEBUI, "INSERT INTO memory VALUES ('1', 'a', 'x', 1, 1)")
    for _ in range(2):
        tenant.import_table(conflict="new_ids")

    assert len({row["id"] for row in tenant.read_memories()}) == 2


def test_a_database_without_a_known_table_says_what_is_there(tenant: Tenant) -> None:
    tenant.fill("CREATE TABLE notes (id text)")

    with pytest.raises(
        Invalid, match=r"from: no table of a known kind .*; there are public\.notes"
    ):
        tenant.import_table()


def test_of_several_known_tables_one_has_to_be_named(tenant: Tenant) -> None:
    tenant.fill(LANGGRAPH, OPEN_WEBUI, "INSERT INTO memory VALUES ('1', 'a', 'x', 1, 1)")

    with pytest.raises(Invalid, match=r"table: several could be meant"):
        tenant.import_table()
    assert tenant.import_table("memory").created == 1
    assert tenant.import_table("public.memory").unchanged == 1


def test_a_database_that_is_away_is_named_without_its_password(tenant: Tenant) -> None:
    tenant.foreign_url = "postgresql://ada:secret@127.0.0.1:1/none"

    with pytest.raises(Invalid, match=r"^from: cannot be read") as fault:
        tenant.import_table()
    assert "secret" not in str(fault.value)


def test_the_command_imports_a_table_and_says_what_became_of_its_rows(tenant: Tenant) -> None:
    tenant.fill(*BAD_ROWS)
    command = ("import", "--from", tenant.foreign_url, "--tenant", tenant.name)
    refused = run_memferry(*command, settings={"MEMFERRY_DATABASE_URL": tenant.url})
    kept = run_memferry(
        *command, "--on-error", "skip", settings={"MEMFERRY_DATABASE_URL": tenant.url}
    )

    assert (refused.returncode, kept.returncode) == (1, 1)
    assert b"nothing was imported" in refused.stdout
    assert b"rejected: public.memory: row null: content: must not be empty" in kept.stdout
    assert [row["source_ref"] for row in tenant.read_memories()] == ["good"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--from", "postgresql:///x"], b"--tenant: needed with --from"),
        (["--from", "postgresql:///x", "--tenant", "t", "file"], b"FILE: has no meaning"),
        (["--from", "postgresql:///x", "--tenant", "t", "--per", "message"], b"--per"),
        (["--tenant", "t", "file"], b"--tenant: has no meaning without --from"),
    ],
)
def test_the_command_refuses_what_does_not_go_together(arguments: list[str], word: bytes) -> None:
    done = run_memferry("import", *arguments)

    assert done.returncode == 1
    assert word in done.stderr


def test_the_other_system_is_never_written_to(tenant: Tenant) -> None:
    tenant.fill(
        "CREATE FUNCTION shout() RETURNS text LANGUAGE sql AS $$ CREATE TABLE public.made (); SELECT 'x'::text $$;"
        "CREATE VIEW memory AS SELECT 'm'::text AS id, 'u'::text AS user_id, shout() AS content,"
        " 1::bigint AS created_at, 1::bigint AS updated_at"
    )

    with pytest.raises(Invalid, match="read-only transaction"):
        tenant.import_table()
