"""Memories whose time is over."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg

from support.tokens import fetchval


def let_expire(database_url: str, *rows: dict[str, Any]) -> None:
    """The time of these memories was over a second ago."""
    update = (
        "WITH late AS (UPDATE memferry.memories SET expires_at = memferry.now_ms() - 1000 "
        "WHERE id = ANY ($1::uuid[]) RETURNING id) SELECT count(*) FROM late"
    )
    ids = [row["id"] for row in rows]
    assert asyncio.run(fetchval(database_url, update, ids)) == len(rows)


@contextmanager
def keep_expired(database_url: str, *rows: dict[str, Any]) -> Iterator[None]:
    """These memories have expired, and no sweep deletes them yet."""
    let_expire(database_url, *rows)
    with asyncio.Runner() as runner:
        owner = runner.run(asyncpg.connect(database_url))
        query = "SELECT id FROM memferry.memories WHERE id = ANY ($1::uuid[]) FOR UPDATE"
        runner.run(owner.execute("BEGIN"))
        held = runner.run(owner.fetch(query, [row["id"] for row in rows]))
        assert len(held) == len(rows)
        yield
        runner.run(owner.close())
