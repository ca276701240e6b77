"""Other tokens of a person's tenant, with other rights."""

import asyncio
import hashlib
from typing import Any
from uuid import UUID

import asyncpg

from memferry.model.token import SCOPES, Grant
from memferry.tenants.operator import Operator
from support.people import Person


def create_holder(person: Person, database_url: str, **rights: Any) -> Person:
    """The same tenant by a new token that may do just this; the caller closes it."""
    return Person(person.name, str(person.base_url), create_token(person, database_url, **rights))


def create_admin(person: Person, database_url: str, **rights: Any) -> Person:
    """The same tenant by a token that may do everything."""
    return create_holder(person, database_url, scopes=SCOPES, **rights)


def create_token(person: Person, database_url: str, **rights: Any) -> str:
    """The text of a new token of the person's tenant."""

    async def create() -> str:
        name = await read_tenant_name(person, database_url)
        return (await Operator(database_url).create_token(name, "test", Grant(**rights))).text

    return asyncio.run(create())


async def read_tenant_name(person: Person, database_url: str) -> str:
    """What the person's tenant is called."""
    name = await fetchval(
        database_url,
        "SELECT tenants.name FROM memferry.tokens JOIN memferry.tenants "
        "ON tenants.id = tokens.tenant_id WHERE sha256 = $1",
        hashlib.sha256(person.token.encode()).digest(),
    )
    assert isinstance(name, str)
    return name


async def read_tenant_id(person: Person, database_url: str) -> UUID:
    """The id of the person's tenant."""
    tenant_id = await fetchval(
        database_url,
        "SELECT tenant_id FROM memferry.tokens WHERE sha256 = $1",
        hashlib.sha256(person.token.encode()).digest(),
    )
    assert isinstance(tenant_id, UUID)
    return tenant_id


async def fetchval(database_url: str, query: str, *values: Any) -> Any:
    """One value, as the owner."""
    connection = await asyncpg.connect(database_url)
    try:
        return await connection.fetchval(query, *values)
    finally:
        await connection.close()
