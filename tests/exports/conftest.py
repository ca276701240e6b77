"""What tests of reading and packing share: Alice's tenant, as the service sees it."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from memferry.database.pool import Database
from support.people import Person
from support.postgres import open_database
from support.tokens import read_tenant_id


@pytest.fixture
async def tenant_id(alice: Person, database_url: str) -> UUID:
    return await read_tenant_id(alice, database_url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Connections for one export by several readers."""
    async with open_database(database_url, size=4) as database:
        yield database
