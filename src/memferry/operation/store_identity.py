"""The identity of the object store: a word in the database and in the store, the same in both.

Without it a process whose settings name another directory or bucket, or whose mount was lost, would
write files that nobody else finds.
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
"""Where the store keeps it: no tenant's prefix, so no sweep touches it."""
_WORD_BYTES = 32


class StoreIdentity:
    """Compares the word in the database with the one in this process's store."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage

    async def establish(self) -> None:
        """Agree on a word where there is none yet; then check it.

        A store that has one keeps it, since several databases may share a store. Raises what
        `check` raises.
        """
        async with self._database.connection() as connection, connection.transaction():
            if await connection.fetchval(sql("operation/lock_store_identity")) is None:
                word = await self._agree_with_store()
                await connection.execute(sql("operation/keep_store_identity"), word.encode())
        await self.check()

    async def check(self) -> None:
        """Raises OtherStore unless both words are there and the same.

        Raises StorageUnavailable or DatabaseUnavailable if one cannot be read, or if no process has
        established them yet.
        """
        kept, stored = await self.read_database(), await self.read_store()
        if kept is None:
            raise StorageUnavailable("no worker has reached the object store yet")
        if stored is None:
            raise OtherStore(f"it holds no identity, the database's is {kept}; it was lost, or new")
        if kept != stored:
            raise OtherStore(f"its identity is {stored}, the database's is {kept}")

    async def adopt(self, owner: Connection) -> str:
        """Make this process's store the database's from now on; answers its word.

        `owner` is a connection as the owner of the tables.
        """
        word = await self._agree_with_store()
        await owner.execute(sql("operation/replace_store_identity"), word.encode())
        return word

    async def read_database(self) -> str | None:
        """The database's word; None if it has none yet."""
        async with self._database.connection() as connection:
            word: bytes | None = await connection.fetchval(sql("database/get_key"), "store")
        return None if word is None else word.decode()

    async def read_store(self) -> str | None:
        """The store's word; None if it has none. Raises StorageUnavailable."""
        try:
            word = await read_whole(self._storage, KEY, most_bytes=2 * _WORD_BYTES)
        except ObjectNotFound:
            # A bucket or a directory that is missing says so here.
            await self._storage.ping()
            return None
        return word.decode("ascii", "replace")

    async def _agree_with_store(self) -> str:
        """The word that the store holds; it gets one if it has none."""
        if (stored := await self.read_store()) is None:
            # A process of another database may write at the same time: what is there then holds.
            with suppress(FileExistsError, WrongBytes):
                await self._write_store(uuid4().hex)
            stored = await self.read_store()
        if stored is None:
            raise StorageUnavailable
        return stored

    async def _write_store(self, word: str) -> None:
        data = word.encode()

        async def chunks() -> AsyncIterator[bytes]:
            yield data

        await self._storage.put(
            KEY,
            chunks(),
            sha256=lambda: hashlib.sha256(data).digest(),
            media_type="text/plain",
            filename=KEY,
        )
