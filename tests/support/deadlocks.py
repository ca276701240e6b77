"""How many deadlocks a database has seen."""

import asyncio

import asyncpg

_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_COUNT = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


async def count_deadlocks(url: str) -> int:
    """How many there were, once every other session has ended: each counts its own until then."""
    connection = await asyncpg.connect(url)
    async with asyncio.timeout(10):
        while await connection.fetchval(_OTHERS):
            await asyncio.sleep(0.01)
    number: int = await connection.fetchval(_COUNT)
    await connection.close()
    return number
