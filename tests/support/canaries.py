"""Two tenants with rows in every table: Bob's hold a canary, and Alice's ids name them too.

Primary keys begin with the tenant, so Bob can have a row for every id of Alice's. Whatever argument
a statement gets, only the tenant tells the two apart.
"""

import json
from dataclasses import dataclass
from typing import LiteralString

import asyncpg

ALICE = "00000000-0000-7000-8000-00000000a11c"
BOB = "00000000-0000-7000-8000-000000000b0b"
NOBODY = "00000000-0000-7000-8000-0000000000ff"
CANARY = "canary-of-bob"
NOT_OF_TENANTS = ("tenants", "gone_tenants", "keys", "workers")


@dataclass(frozen=True)
class Names:
    """What rows are called: their ids, and the words by which conditions find them."""

    uuid: str
    word: str


SHARED = Names(ALICE, "01ARZ3NDEKTSV4RRFFQ69G5FAV")
"""What both have a row for."""
BOBS = Names(BOB, "01BX5ZZKBKACTAV9WEVGEMMVRZ")
"""What only Bob has a row for."""
FRESH = Names(NOBODY, "01C4YV8W1RZ1QK3Z5X0V4JQ2MA")
"""What nobody has yet."""

# Text that conditions look for; every other text holds the canary.
_SOUGHT = {
    "id", "key", "export_id", "leased_by", "namespace", "tags", "source_ref", "format", "event",
    "object_key",
}  # fmt: skip

# What the CHECKs of a table ask for, and what keeps a row within reach of the statements.
_VALUES: dict[tuple[str, str], str | None] = {
    ("jobs", "type"): "export",
    ("jobs", "status"): "running",
    ("jobs", "completed_at"): None,
    ("jobs", "object_key"): None,
    ("jobs", "error"): None,
    ("jobs", "purged_at"): None,
    ("memories", "expires_at"): None,
    ("changes", "kind"): "update",
    ("webhooks", "events"): "{}",
    ("deliveries", "delivered_at"): None,
    ("tokens", "revoked_at"): None,
    ("tokens", "expires_at"): None,
    ("tokens", "scopes"): "{memories:read}",
}

# The states of both tenants' exports in which every statement is tried.
STATES: dict[str, LiteralString] = {
    "running": "UPDATE memferry.jobs SET attempt = attempt",
    "pending": "UPDATE memferry.jobs SET status = 'pending', leased_by = NULL, leased_until = NULL",
    "completed": "UPDATE memferry.jobs SET status = 'completed', leased_by = NULL,"
    " leased_until = NULL, completed_at = 1000, object_key = id",
}

_COLUMNS = """
    SELECT relname AS table, attname AS column, format_type(atttypid, NULL) AS type
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = 'memferry' AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
        AND attgenerated = '' AND relname <> ALL ($1::text[])
    ORDER BY relname, attnum
"""


def make_value(kind: str, names: Names, words: str) -> str:
    """A value of a type that names a row, or says some words."""
    plain = {
        "text": words,
        "uuid": names.uuid,
        "xid8": "1000",
        "bytea": "\\x" + words.encode()[:32].ljust(32).hex(),
        "json": f'{{"parent_ref": "{names.word}", "words": "{words}"}}',
        "timestamp with time zone": "2001-01-01 00:00:00+00",
        "boolean": "true",
        **dict.fromkeys(("integer", "bigint", "double precision"), "1000"),
        **dict.fromkeys(("int4", "int8", "float8"), "1000"),
        "bool": "true",
        **dict.fromkeys(("real", "float4", "numeric"), "1000"),
    }
    plain["jsonb"] = plain["json"]
    if kind.endswith("[]"):
        return f"{{{plain[kind.removesuffix('[]')]}}}"
    return plain[kind]


async def plant(owner: "asyncpg.Connection[asyncpg.Record]", *, with_bob: bool) -> None:
    """Give Alice, and Bob if he is to be there, rows in every table."""
    # The key is no tenant's, and made by chance in each database.
    await owner.execute("UPDATE memferry.keys SET value = decode(repeat('5e', 32), 'hex')")
    await owner.execute(f"INSERT INTO memferry.tenants VALUES ('{ALICE}', 'Alice', 1)")
    await _plant_rows(owner, ALICE, SHARED, "words of Alice")
    if with_bob:
        await owner.execute(f"INSERT INTO memferry.tenants VALUES ('{BOB}', '{CANARY}', 1)")
        await _plant_rows(owner, BOB, SHARED, CANARY)
        await _plant_rows(owner, BOB, BOBS, f"{CANARY} too")


async def list_tables(owner: "asyncpg.Connection[asyncpg.Record]") -> dict[str, dict[str, str]]:
    """Every table of tenants, with the types of its columns."""
    found: dict[str, dict[str, str]] = {}
    for row in await owner.fetch(_COLUMNS, NOT_OF_TENANTS):
        found.setdefault(row["table"], {})[row["column"]] = row["type"]
    return found


async def make_query_for_bob(owner: "asyncpg.Connection[asyncpg.Record]") -> str:
    """The query for all that Bob has: table, key and row as JSON."""
    return " UNION ALL ".join(
        f"SELECT '{table}' AS table, to_jsonb(own) AS row FROM memferry.{table} AS own "
        f"WHERE tenant_id = '{BOB}'"
        for table in await list_tables(owner)
    )


async def _plant_rows(
    owner: "asyncpg.Connection[asyncpg.Record]", tenant: str, names: Names, words: str
) -> None:
    """One row in each table; a table that refers to another waits until that one has its row."""
    waiting = {
        table: _row(table, kinds, names, words) | {"tenant_id": tenant}
        for table, kinds in (await list_tables(owner)).items()
    }
    while waiting:
        planted = [table for table, row in waiting.items() if await _insert(owner, table, row)]
        assert planted, f"no row fits into {sorted(waiting)}"
        for table in planted:
            del waiting[table]


def _row(table: str, kinds: dict[str, str], names: Names, words: str) -> dict[str, str | None]:
    return {
        column: _VALUES[table, column]
        if (table, column) in _VALUES
        else make_value(kind, names, _text(column, names, words))
        for column, kind in kinds.items()
    }


def _text(column: str, names: Names, words: str) -> str:
    if column in _SOUGHT:
        return names.word
    # Of a text that is to be kept secret a digest shows nothing, so it holds no canary either.
    return words[::-1] if "sha256" in column else f"{words} {names.word}"


async def _insert(
    owner: "asyncpg.Connection[asyncpg.Record]", table: str, row: dict[str, str | None]
) -> bool:
    columns = ", ".join(row)
    # A value that is JSON itself stands in the record as what it is, not as a text.
    given = json.dumps(
        {
            column: json.loads(text) if text and text.startswith('{"') else text
            for column, text in row.items()
        }
    )
    try:
        async with owner.transaction():
            await owner.execute(
                f"INSERT INTO memferry.{table} ({columns}) SELECT {columns} "
                f"FROM json_populate_record(NULL::memferry.{table}, $1) "
                # Where a tenant has but one row.
                "ON CONFLICT DO NOTHING",
                given,
            )
    except asyncpg.ForeignKeyViolationError:
        return False
    return True
