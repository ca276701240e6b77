"""A session that sets no quota has the defaults of the settings in the views, too."""

import asyncpg

from memferry.settings import Quotas


async def test_the_defaults_of_waiting_messages_in_views_are_those_of_the_settings(
    database_url: str,
) -> None:
    connection = await asyncpg.connect(database_url)
    definition = await connection.fetchval(
        "SELECT pg_get_functiondef('memferry_service.is_room_for_messages'::regproc)"
    )
    await connection.close()

    assert f"({Quotas().waiting_messages})::bigint" in definition
    assert f"({Quotas().waiting_message_bytes})::bigint" in definition
