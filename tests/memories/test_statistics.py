"""What the planner expects of a tenant, while autovacuum has not looked at its memories yet."""

import asyncio
import json
from collections.abc import Iterator
from uuid import UUID

import pytest

from support.people import Person
from support.sessions import Session, open_session
from support.tokens import read_tenant_id

ROWS = 2_000


@pytest.fixture
def owner(database_url: str) -> Iterator[Session]:
    with open_session(database_url) as session:
        yield session


def expect_rows(owner: Session, tenant_id: UUID) -> int:
    """How many memories of a tenant the planner expects."""
    statement = f"SELECT FROM memferry.memories WHERE tenant_id = '{tenant_id}'"
    ((plan,),) = owner(f"EXPLAIN (FORMAT json) {statement}")
    return int(json.loads(plan)[0]["Plan"]["Plan Rows"])


def save_rows(person: Person, count: int) -> None:
    person.save_many([{"content": f"row {number}"} for number in range(count)])


@pytest.mark.parametrize("at_once", [ROWS, 100])
def test_the_planner_knows_a_tenant_as_soon_as_it_has_many_memories(
    alice: Person, bob: Person, owner: Session, database_url: str, at_once: int
) -> None:
    save_rows(bob, ROWS)
    owner("ANALYZE memferry.memories")
    tenant_id = asyncio.run(read_tenant_id(alice, database_url))
    unknown = expect_rows(owner, tenant_id)
    for _ in range(0, ROWS, at_once):
        save_rows(alice, at_once)

    assert unknown < ROWS / 10 <= expect_rows(owner, tenant_id)
