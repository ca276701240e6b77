"""A look at the object store."""

from collections.abc import AsyncIterator

import asyncpg

from memferry.errors import DatabaseUnavailable
from memferry.operation.findings import Finding
from memferry.operation.store_identity import StoreIdentity
from memferry.storage import Storage


async def check_store(
    place: str, store: Storage, identity: StoreIdentity
) -> AsyncIterator[Finding]:
    """Whether the store at `place` can be used, and is the one that the database knows.

    Raises StorageUnavailable or OtherStore if not.
    """
    await store.ping()
    try:
        word = await identity.read_database()
        if word is not None:
            await identity.check()
    except (DatabaseUnavailable, asyncpg.PostgresError):
        # The findings of the database and the schema say why.
        yield Finding("note", f"{place} can be used; whose it is, only the database knows")
        return
    if word is None:
        yield Finding("note", f"{place} can be used; no service has begun to use one yet")
    else:
        yield Finding("ok", f"{place}, identity {word}")
