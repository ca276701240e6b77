"""Values in statements that take no parameters come to PostgreSQL as they are."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memferry.database.literals import bind_literals
from memferry.database.pool import Connection
from support.postgres import open_database

TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"))


@pytest.fixture(scope="module")
async def connection(database_url: str) -> AsyncIterator[Connection]:
    async with open_database(database_url) as database, database.connection() as connection:
        yield connection


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    text=TEXT | st.sampled_from(["'", "''", "\\", "\\'", "$1", "$2'", "%s", "';--", '"']),
    number=st.integers(-(2**63), 2**63 - 1),
    uuid=st.uuids(),
    texts=st.lists(TEXT | st.sampled_from(["NULL", "", '"', "\\", ",", "{}", "'", "$1"])),
)
async def test_every_value_comes_back_from_its_literal(
    connection: Connection, text: str, number: int, uuid: UUID, texts: list[str]
) -> None:
    statement = bind_literals(
        "SELECT $1::text, $2::bigint, $3::uuid, $4::text[], $1::text", [text, number, uuid, texts]
    )
    row = await connection.fetchrow(statement)

    assert row is not None
    assert list(row) == [text, number, uuid, texts, text]


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError):
        bind_literals("SELECT $1", [1.5])
