"""What protects a table of tenants, read from the catalog: `problems` names every gap it finds.

Nothing here lists the tables: one that is new is looked at like the rest.
"""

from dataclasses import dataclass

import asyncpg
import sqlglot
from sqlglot import exp

from memferry.database.pool import SERVICE_ROLE

# Tables that belong to no tenant. Any other table must say whose its rows are.
SHARED_TABLES = frozenset({"tenants", "gone_tenants", "keys", "workers"})

# Unique without the tenant: a token or a sign-in is looked up before anybody knows whose it is.
UNIQUE_ACROSS_TENANTS = frozenset({"tokens_sha256_key", "sign_ins_sha256_key"})

# The views that show rows of more than one tenant, and every column the service role may read
# there: whose, which, in what state, until when. No column of these holds words of a tenant.
ACROSS_TENANTS = {
    "token_grants": {
        "sha256", "tenant_id", "id", "scopes", "limited", "expires_at", "revoked_at",
    },
    "sign_in_grants": {"sha256", "tenant_id", "token_id", "is_link", "expires_at"},
    "job_queue": {
        "tenant_id", "id", "type", "status", "needs", "attempt", "failures", "leased_by",
        "leased_until", "created_at", "object_key", "expires_at",
    },
    "upload_queue": {"tenant_id", "id", "leased_until"},
    "job_turns": {"tenant_id", "claimed_at"},
    "payload_queue": {"tenant_id", "export_id"},
    "manifest_queue": {"tenant_id", "export_id"},
    "unsealed_exports": {"tenant_id", "id"},
    "untold_exports": {"tenant_id", "id"},
    "idempotency_queue": {"tenant_id", "created_at"},
    "expiry_queue": {"tenant_id", "id", "expires_at"},
    "change_queue": {"tenant_id", "memory_id", "saved_at", "version", "stored_at"},
    "delivery_queue": {
        "tenant_id", "id", "webhook_id", "attempt", "next_attempt_at", "created_at", "message_id",
    },
    "message_queue": {"tenant_id", "id", "bytes"},
}  # fmt: skip

_PREDICATE = "TENANT_ID = CAST(CURRENT_SETTING(CAST('MEMFERRY.TENANT' AS TEXT)) AS UUID)"

_TABLES = """
    SELECT pg_class.oid, relname AS name,
        (SELECT attnotnull FROM pg_attribute
            WHERE attrelid = pg_class.oid AND attname = 'tenant_id') AS tenant,
        EXISTS (SELECT FROM pg_attribute
            WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
                AND has_column_privilege(
                    $1, attrelid, attnum, 'SELECT, INSERT, UPDATE, REFERENCES'))
            OR has_table_privilege($1, pg_class.oid, 'DELETE, TRUNCATE, TRIGGER')
            OR pg_has_role($1, relowner, 'MEMBER') AS reachable
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = 'memferry' AND relkind IN ('r', 'p', 'v', 'm', 'f')
    ORDER BY relname
"""

# Keys, unique constraints and unique indexes alike.
_UNIQUE = """
    SELECT index.relname AS name,
        pg_get_indexdef(indexrelid, 1, true) AS first
    FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid
    WHERE indrelid = $1 AND indisunique
"""
_FOREIGN = """
    SELECT conname AS name, mine.attname AS first, other.attname AS target, relname AS referenced
    FROM pg_constraint
    JOIN pg_class ON pg_class.oid = confrelid
    JOIN pg_attribute AS mine ON mine.attrelid = conrelid AND mine.attnum = conkey[1]
    JOIN pg_attribute AS other ON other.attrelid = confrelid AND other.attnum = confkey[1]
    WHERE conrelid = $1 AND contype = 'f'
"""
_PRIMARY = "SELECT EXISTS (SELECT FROM pg_index WHERE indrelid = $1 AND indisprimary)"

_RELATIONS = """
    SELECT pg_class.oid, relname AS name, relkind = 'v' AS is_view,
        CASE WHEN relkind = 'v' THEN pg_get_viewdef(pg_class.oid) END AS definition,
        coalesce(reloptions::text, '') AS options,
        ARRAY(SELECT attname::text FROM pg_attribute
            WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
                AND has_column_privilege($1, attrelid, attnum, 'SELECT')) AS readable,
        ARRAY(SELECT DISTINCT read.relname::text
            FROM pg_rewrite
            JOIN pg_depend ON pg_depend.objid = pg_rewrite.oid
                AND classid = 'pg_rewrite'::regclass AND refclassid = 'pg_class'::regclass
            JOIN pg_class AS read ON read.oid = refobjid
            JOIN pg_namespace ON pg_namespace.oid = read.relnamespace
            WHERE ev_class = pg_class.oid AND nspname = 'memferry') AS reads,
        ARRAY(SELECT DISTINCT read.relname::text
            FROM pg_rewrite
            JOIN pg_depend ON pg_depend.objid = pg_rewrite.oid
                AND classid = 'pg_rewrite'::regclass AND refclassid = 'pg_class'::regclass
            JOIN pg_class AS read ON read.oid = refobjid
            JOIN pg_namespace ON pg_namespace.oid = read.relnamespace
            WHERE ev_class = pg_class.oid AND nspname = 'memferry_service'
                AND read.oid <> ev_class) AS views
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = 'memferry_service' AND relkind IN ('r', 'p', 'v', 'm', 'f')
    ORDER BY relname
"""
_OWNERS_FUNCTIONS = """
    SELECT proname AS name FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
    WHERE nspname IN ('memferry', 'memferry_service') AND prosecdef
        AND has_function_privilege($1, pg_proc.oid, 'EXECUTE')
"""


@dataclass(frozen=True)
class Relation:
    """Something in the service's schema."""

    name: str
    is_view: bool
    definition: str | None
    options: str
    readable: frozenset[str]
    reads: frozenset[str]
    """The tables of schema memferry it names."""
    views: frozenset[str]
    """The other views of the service it names."""

    @property
    def of_one_tenant(self) -> bool:
        """Whether it reads one table once, each row held to the session's tenant.

        Other views of one tenant, which are looked at themselves, may stand in its conditions.
        """
        if self.definition is None or len(self.reads) != 1:
            return False
        select = sqlglot.parse_one(self.definition, read="postgres")
        where, named = select.args.get("where"), list(select.find_all(exp.Table))
        views = [each for each in named if each.db == SERVICE_ROLE]
        tables = [each for each in named if each.db == "memferry"]
        if not isinstance(select, exp.Select) or where is None or len(tables) != 1:
            return False
        if select.args["from_"].this is not tables[0] or select.args.get("joins"):
            return False
        if any(each.name in ACROSS_TENANTS for each in views):
            return False
        condition = where.this.unnest()
        terms = condition.flatten() if isinstance(condition, exp.And) else [condition]
        return any(_plain(term) == _PREDICATE for term in terms)


async def read_relations(owner: "asyncpg.Connection[asyncpg.Record]") -> list[Relation]:
    """All that the service role is offered."""
    rows = await owner.fetch(_RELATIONS, SERVICE_ROLE)
    return [
        Relation(
            row["name"],
            row["is_view"],
            row["definition"],
            row["options"],
            frozenset(row["readable"]),
            frozenset(row["reads"]),
            frozenset(row["views"]),
        )
        for row in rows
    ]


async def find_gaps(owner: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """Every gap in the protection of every table, in words; none is what must be found."""
    found: list[str] = []
    tables = await owner.fetch(_TABLES, SERVICE_ROLE)
    for table in tables:
        if table["reachable"]:
            found.append(f"{table['name']}: the service role has rights on it")
        if table["name"] not in SHARED_TABLES:
            found += await _faults_of_table(owner, table)
    offered = await read_relations(owner)
    own_views = frozenset(relation.name for relation in offered if relation.of_one_tenant)
    for relation in offered:
        found += _faults_of_relation(relation, own_views)
    for table in tables:
        own = [each.name for each in offered if each.of_one_tenant and table["name"] in each.reads]
        if len(own) > 1:
            found.append(f"{table['name']}: more than one view of a tenant: {', '.join(own)}")
    functions = await owner.fetch(_OWNERS_FUNCTIONS, SERVICE_ROLE)
    return found + [f"{each['name']}(): runs with its owner's rights" for each in functions]


async def _faults_of_table(
    owner: "asyncpg.Connection[asyncpg.Record]", table: asyncpg.Record
) -> list[str]:
    name, found = table["name"], []
    if not table["tenant"]:
        return [f"{name}: no column tenant_id that is NOT NULL"]
    if not await owner.fetchval(_PRIMARY, table["oid"]):
        found.append(f"{name}: no primary key")
    found += [
        f"{name}: {key['name']} does not begin with tenant_id"
        for key in await owner.fetch(_UNIQUE, table["oid"])
        if key["first"] != "tenant_id" and key["name"] not in UNIQUE_ACROSS_TENANTS
    ]
    return found + [
        f"{name}: {key['name']} does not begin with tenant_id"
        for key in await owner.fetch(_FOREIGN, table["oid"])
        if (key["first"], key["target"])
        != ("tenant_id", "id" if key["referenced"] == "tenants" else "tenant_id")
    ]


def _faults_of_relation(relation: Relation, own_views: frozenset[str]) -> list[str]:
    name, allowed = relation.name, ACROSS_TENANTS.get(relation.name)
    if not relation.is_view:
        return [f"{name}: no view, though in the service's schema"]
    if "security_" in relation.options:
        return [f"{name}: a security barrier or an invoker's view: {relation.options}"]
    if relation.of_one_tenant or (relation.reads <= SHARED_TABLES and relation.views <= own_views):
        return []
    if allowed is None:
        return [f"{name}: lacks the tenant predicate"]
    return [
        f"{name}: shows {column} across tenants" for column in sorted(relation.readable - allowed)
    ]


def _plain(expression: exp.Expr) -> str:
    """The expression in one spelling, without parentheses and the names of the one table."""
    whole = exp.Paren(this=expression.copy())
    for column in whole.find_all(exp.Column):
        column.set("table", None)
    for inner in list(whole.find_all(exp.Paren))[1:]:
        inner.replace(inner.this)
    bare: exp.Expr = whole.this
    return bare.sql(dialect="postgres").upper()
