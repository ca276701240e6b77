"""Seeded memories, always alike: realistic lengths, tags, nested metadata, awkward text."""

import json
import random
from collections.abc import Iterator
from itertools import accumulate
from typing import Any
from uuid import UUID

import asyncpg

START_MS = 1_700_000_000_000
"""Row number i of every tenant was created at START_MS + i."""

NAMESPACES = tuple(f"namespace-{number}" for number in range(10))
TAGS = tuple(f"tag-{number}" for number in range(40))
_BASE_ROWS = 10_000
_WORDS = 20_000
_MANY_ROWS = 100_000
_AWKWARD_EVERY = 10
_AWKWARD = (
    '\r\n"quoted", and \\"escaped\\" \\N \\.\r\n',
    "=SUM(A1:A9)\t\x01\x02\x0b\x1f",
    " e\u0301 \u00e9 \u2028 \U0001f642 \u202e\u05d0 ",
    "a,b;c\n\n'''\x7f\\u0041 {\"json\": [null]}\r",
)
_SYLLABLES = (
    "ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "wu", "xa",
    "ye", "zi", "chu", "sha", "tre", "pli", "gno", "stra",
)  # fmt: skip

# The base rows are multiplied in the database. Ids have the shape of UUIDv7: they grow with time.
_MULTIPLY = """
INSERT INTO memferry.memories
    (tenant_id, id, content, namespace, tags, source, source_ref, metadata, created_at, updated_at)
SELECT $1, (lpad(to_hex($3 + i), 12, '0') || '7' || substr(hash, 1, 3) || '8'
        || substr(hash, 4, 15))::uuid,
    base.content || ' #' || i, base.namespace, base.tags, base.source,
    CASE WHEN i % 3 = 0 THEN 'chat:' || i END,
    base.metadata || jsonb_build_object('turn', i), $3 + i, $3 + i
FROM generate_series(1, $2::bigint) AS i
    CROSS JOIN LATERAL (SELECT md5($4 || i) AS hash) AS hashed
    JOIN bench_rows AS base ON base.number = i % $5
"""
_COUNT = """
INSERT INTO memferry.memory_usage (tenant_id, slot, rows, bytes)
SELECT $1, 0, count(*), sum(octet_length(content)) FROM memferry.memories
WHERE tenant_id = $1 HAVING count(*) > 0
"""
_INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
WHERE indrelid = 'memferry.memories'::regclass AND amname IN ('gin', 'hash')
"""


async def seed(url: str, tenants: dict[str, tuple[UUID, int]], *, searched: bool = True) -> None:
    """Give each tenant its number of rows; as the owner of the tables.

    The indexes for words, tags and metadata of ten million rows take longer to build than all that
    is measured with these rows: where nobody searches, they stay away.
    """
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET maintenance_work_mem = '512MB'; SET search_path = pg_catalog")
        await _base(connection)
        there: int = await connection.fetchval("SELECT count(*) FROM memferry.memories")
        many = sum(rows for _, rows in tenants.values()) >= max(_MANY_ROWS, there)
        dropped = await _drop_indexes(connection) if many else []
        for name, (tenant_id, rows) in tenants.items():
            await connection.execute(_MULTIPLY, tenant_id, rows, START_MS, name, _BASE_ROWS)
            await connection.execute(_COUNT, tenant_id)
        for definition in dropped if searched else ():
            await connection.execute(definition)
        await connection.execute("VACUUM (ANALYZE) memferry.memories")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _base(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.execute(
        "CREATE TEMP TABLE bench_rows (number bigint, content text, namespace text, tags text[], "
        "source text, metadata jsonb)"
    )
    await connection.copy_records_to_table("bench_rows", records=list(_rows()))
    await connection.execute("ANALYZE bench_rows")


async def _drop_indexes(connection: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """Take away the indexes that are cheaper to build than to fill; answers how to make them."""
    found = await connection.fetch(_INDEXES)
    for each in found:
        await connection.execute(f"DROP INDEX {each['name']}")
    return [each["definition"] for each in found]


def _rows() -> Iterator[tuple[Any, ...]]:
    chance, words = random.Random(1), vocabulary()
    common = list(accumulate(1 / (rank + 10) for rank in range(len(words))))
    for number in range(_BASE_ROWS):
        # Most are a sentence or two, a few are pages.
        length = min(max(int(chance.lognormvariate(3.5, 0.8)), 3), 800)
        content = " ".join(chance.choices(words, cum_weights=common, k=length))
        if number % _AWKWARD_EVERY == 0:
            content += chance.choice(_AWKWARD) + chance.choice(words)
        tags = chance.sample(TAGS, k=chance.randint(0, 4))
        metadata = None if chance.random() < 0.1 else json.dumps(_metadata(chance, words))
        source = chance.choice(("agent", "agent", "import", "user"))
        yield number, content, NAMESPACES[number % 10], tags, source, metadata


def vocabulary() -> list[str]:
    """The words of all memories, the most frequent first; few are common and most are rare."""
    chance = random.Random(2)
    words: dict[str, None] = {}
    while len(words) < _WORDS:
        words["".join(chance.choices(_SYLLABLES, k=chance.randint(2, 5)))] = None
    return list(words)


def _metadata(chance: random.Random, words: list[str]) -> dict[str, Any]:
    return {
        "confidence": round(chance.random(), 3),
        "kind": chance.choice(("fact", "preference", "event", "task")),
        "session": {
            "id": f"session-{chance.randrange(500)}",
            "topics": chance.choices(words, k=chance.randint(0, 4)),
            "parent": None,
        },
        "model": {"name": chance.choice(("small", "large")), "temperature": 0.7},
    }


def memory(chance: random.Random) -> dict[str, Any]:
    """One new memory as a client would send it."""
    return {
        "content": " ".join(chance.choices(_SYLLABLES, k=40)) + f" {chance.random()}",
        "namespace": chance.choice(NAMESPACES),
        "tags": chance.sample(TAGS, k=2),
        "source": "agent",
        "metadata": {"confidence": round(chance.random(), 3), "nested": {"list": [1, "x", None]}},
    }
