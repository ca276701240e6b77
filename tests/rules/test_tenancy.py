"""No table of tenants is without protection; and the lint that says so sees each kind of gap."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from memferry.database.pool import SERVICE_ROLE
from support.tenancy import ACROSS_TENANTS, find_gaps, read_relations

_OWN = "WHERE tenant_id = current_setting('memferry.tenant')::uuid"


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """The owner of the tables, in a transaction that leaves nothing behind."""
    # Without a path every name is shown with its schema.
    connection = await asyncpg.connect(database_url, server_settings={"search_path": ""})
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


async def test_every_table_of_tenants_is_protected(
    owner: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    assert await find_gaps(owner) == []


async def test_the_tenancy_lint_covers_every_relation_of_the_service(
    owner: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    offered = {each.name: each for each in await read_relations(owner)}

    assert offered["stored_memories"].of_one_tenant
    assert offered["stored_memories"].reads == {"memories"}
    assert offered["memories"].views == {"stored_memories"}
    assert offered.keys() >= ACROSS_TENANTS.keys()
    assert not any(offered[name].of_one_tenant for name in ACROSS_TENANTS)


_GOOD_TABLE = "CREATE TABLE memferry.notes (tenant_id uuid NOT NULL, id uuid NOT NULL, text text, "
_KEYED = f"{_GOOD_TABLE} PRIMARY KEY (tenant_id, id))"
_QUEUE = "CREATE OR REPLACE VIEW memferry_service.delivery_queue AS SELECT tenant_id, id, "

GAPS = {
    "CREATE TABLE memferry.notes (id uuid PRIMARY KEY)": "notes: no column tenant_id",
    "CREATE TABLE memferry.notes (tenant_id uuid, id uuid)": "notes: no column tenant_id",
    f"{_GOOD_TABLE} UNIQUE (tenant_id, id))": "notes: no primary key",
    f"{_GOOD_TABLE} PRIMARY KEY (id, tenant_id))": "notes: notes_pkey does not begin",
    f"{_GOOD_TABLE} PRIMARY KEY (tenant_id, id), UNIQUE (id))": "notes: notes_id_key does not",
    f"{_KEYED}; CREATE UNIQUE INDEX ON memferry.notes (lower(text))": "notes: notes_lower_idx does",
    f"{_GOOD_TABLE} PRIMARY KEY (tenant_id, id),"
    "FOREIGN KEY (id, tenant_id) REFERENCES memferry.memories (id, tenant_id))": "does not begin",
    f"{_KEYED}; GRANT SELECT ON memferry.notes TO {SERVICE_ROLE}": "notes: the service role has",
    f"{_KEYED}; GRANT SELECT ON memferry.notes TO PUBLIC": "notes: the service role has rights",
    f"{_KEYED}; GRANT SELECT (id) ON memferry.notes TO {SERVICE_ROLE}": "notes: the service role",
    f"{_KEYED}; GRANT DELETE ON memferry.notes TO {SERVICE_ROLE}": "notes: the service role has",
    f"{_KEYED}; GRANT CREATE ON SCHEMA memferry TO {SERVICE_ROLE};"
    f"ALTER TABLE memferry.notes OWNER TO {SERVICE_ROLE}": "notes: the service role has rights",
    "CREATE VIEW memferry_service.all_memories AS SELECT id FROM memferry.memories": (
        "all_memories: lacks the tenant predicate"
    ),
    f"CREATE VIEW memferry_service.more AS SELECT id FROM memferry.memories {_OWN} OR true": (
        "more: lacks the tenant predicate"
    ),
    "CREATE VIEW memferry_service.more AS SELECT id FROM memferry.memories WHERE tenant_id <> "
    "current_setting('memferry.tenant')::uuid": "more: lacks the tenant predicate",
    f"CREATE VIEW memferry_service.more AS SELECT id FROM memferry.memories {_OWN} "
    "UNION ALL SELECT id FROM memferry.memories": "more: lacks the tenant predicate",
    f"CREATE VIEW memferry_service.more AS SELECT memory.id FROM memferry.memories AS memory, "
    f"(SELECT FROM memferry.memories {_OWN}) AS own": "more: lacks the tenant predicate",
    f"CREATE VIEW memferry_service.more AS SELECT w.id, d.event FROM memferry.deliveries AS d, "
    f"(SELECT * FROM memferry.webhooks {_OWN}) AS w": "more: lacks the tenant predicate",
    "CREATE VIEW memferry_service.more AS SELECT id, (SELECT max(content) FROM memferry.memories) "
    f"FROM memferry.memories {_OWN}": "more: lacks the tenant predicate",
    f"CREATE VIEW memferry_service.more AS SELECT id FROM memferry.memories {_OWN} AND EXISTS ("
    "SELECT FROM memferry_service.job_queue)": "more: lacks the tenant predicate",
    "CREATE VIEW memferry_service.more AS SELECT id FROM memferry_service.job_queue": (
        "more: lacks the tenant predicate"
    ),
    f"CREATE VIEW memferry_service.again AS SELECT id FROM memferry.memories {_OWN}": (
        "memories: more than one view of a tenant: again, stored_memories"
    ),
    f"CREATE VIEW memferry_service.own WITH (security_barrier) AS SELECT id FROM memferry.tokens "
    f"{_OWN}": "own: a security barrier",
    "CREATE MATERIALIZED VIEW memferry_service.copy AS SELECT id FROM memferry.memories": (
        "copy: no view"
    ),
    f"{_QUEUE}webhook_id, attempt, next_attempt_at, created_at, message_id, last_error "
    "FROM memferry.deliveries": ("delivery_queue: shows last_error across tenants"),
    "GRANT SELECT ON memferry_service.idempotency_queue TO PUBLIC": "shows key across tenants",
    "CREATE FUNCTION memferry_service.all() RETURNS SETOF memferry.memories LANGUAGE sql "
    "SECURITY DEFINER AS 'SELECT * FROM memferry.memories'": "all(): runs with its owner's rights",
}


@pytest.mark.parametrize("gap", GAPS)
async def test_the_tenancy_lint_reports_a_gap(
    owner: "asyncpg.Connection[asyncpg.Record]", gap: str
) -> None:
    if "REFERENCES" in gap:
        await owner.execute("CREATE UNIQUE INDEX ON memferry.memories (id, tenant_id)")
    await owner.execute(gap)

    assert [each for each in await find_gaps(owner) if GAPS[gap] in each]


async def test_the_tenancy_lint_accepts_a_protected_new_table(
    owner: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    await owner.execute(
        f"{_KEYED}; CREATE VIEW memferry_service.notes AS SELECT id, text FROM memferry.notes "
        f"{_OWN} AND (text IS NULL OR EXISTS (SELECT FROM memferry_service.memories "
        "WHERE memories.id = notes.id))"
    )

    assert await find_gaps(owner) == []


async def test_the_service_role_has_no_special_rights(
    owner: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    role = await owner.fetchrow(
        "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication, "
        "EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid) AS member_of_another, "
        "EXISTS (SELECT FROM pg_shdepend WHERE refobjid = pg_roles.oid AND deptype = 'o') AS owner,"
        "has_database_privilege(oid, current_database(), 'CREATE') AS creates_schemas, "
        "has_schema_privilege(oid, 'memferry_service', 'CREATE') AS creates_views, "
        "has_schema_privilege(oid, 'memferry', 'USAGE, CREATE') AS enters_the_tables_schema "
        "FROM pg_roles WHERE rolname = $1",
        SERVICE_ROLE,
    )

    assert role is not None
    assert {name for name, holds in role.items() if holds} == set()
