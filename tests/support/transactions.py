"""Transactions as the service has them, for tests of single statements."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from memferry.database.pool import Connection, Database
from memferry.settings import DatabaseSettings
from support.people import Person
from support.tokens import fetchval


@asynccontextmanager
async def open_transaction(person: Person, database_url: str) -> AsyncIterator[Connection]:
    """A transaction in which the views show what a person has."""
    digest = hashlib.sha256(person.token.encode()).digest()
    query = "SELECT tenant_id FROM memferry.tokens WHERE sha256 = $1"
    tenant = await fetchval(database_url, query, digest)
    database = Database(database_url, DatabaseSettings(pool_size=1))
    await database.open()
    try:
        async with database.tenant(tenant) as connection:
            yield connection
    finally:
        await database.close()
