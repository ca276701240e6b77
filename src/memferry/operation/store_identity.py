"""The identity of the object store: a random text that the database and the store both hold.

Comparing the two stops a process whose settings name another directory or bucket, or whose mount is
lost: it would write files that no other process finds.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import uuid4

from memferry.database.pool import Connection, Database
from memferry.database.sql import sql
from memferry.errors import ObjectNotFound, OtherStore, StorageUnavailable, WrongBytes
from memferry.storage import Storage, read_whole

KEY = "memferry-store"
"""The key of the identity in the store; no tenant's prefix, so no sweep removes it."""
_IDENTITY_BYTES = 32


class StoreIdentity:
    """Compares the identity in the database with the one in the store of this process."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage

    async def establish(self) -> None:
        """Create the identity if the database has none, then check it.

        A store that has an identity keeps it, since several databases may share a store. Raises as
        `check`.
        """
        async with self._database.connection() as connection, connection.transaction():
            if await connection.fetchval(sql("operation/lock_store_identity")) is None:
                identity = await self._ensure_in_store()
                await connection.execute(sql("operation/create_store_identity"), identity.encode())
        await self.check()

    async def check(self) -> None:
        """Raise OtherStore unless database and store hold the same identity.

        Raises StorageUnavailable or DatabaseUnavailable if one cannot be read, or if no process has
        created the identity yet.
        """
        expected, actual = await self.read_database(), await self.read_store()
        if expected is None:
            raise StorageUnavailable("no worker has reached the object store yet")
        if actual is None:
            raise OtherStore(
                f"it holds no identity, the database's is {expected}; it was lost, or new"
            )
        if expected != actual:
            raise OtherStore(f"its identity is {actual}, the database's is {expected}")

    async def adopt(self, owner: Connection) -> str:
        """Make the store of this process the one of the database; answers its identity.

        `owner` is a connection as the owner of the tables.
        """
        identity = await self._ensure_in_store()
        await owner.execute(sql("operation/replace_store_identity"), identity.encode())
        return identity

    async def read_database(self) -> str | None:
        """Read the identity that the database holds; None if it has none yet."""
        async with self._database.connection() as connection:
            identity: bytes | None = await connection.fetchval(sql("database/get_key"), "store")
        return None if identity is None else identity.decode()

    async def read_store(self) -> str | None:
        """Read the identity that the store holds, None if none; raises StorageUnavailable."""
        try:
            identity = await read_whole(self._storage, KEY, most_bytes=2 * _IDENTITY_BYTES)
        except ObjectNotFound:
            # A missing bucket or directory raises here.
            await self._storage.ping()
            return None
        return identity.decode("ascii", "replace")

    async def _ensure_in_store(self) -> str:
        """The identity of the store, created if it has none."""
        if (identity := await self.read_store()) is None:
            # Where a process of another database writes at the same time, the first write counts.
            with suppress(FileExistsError, WrongBytes):
                await self._write_store(uuid4().hex)
            identity = await self.read_store()
        if identity is None:
            raise StorageUnavailable
        return identity

    async def _write_store(self, identity: str) -> None:
        data = identity.encode()

        async def chunks() -> AsyncIterator[bytes]:
            yield data

        await self._storage.put(
            KEY,
            chunks(),
            sha256=lambda: hashlib.sha256(data).digest(),
            media_type="text/plain",
            filename=KEY,
        )
