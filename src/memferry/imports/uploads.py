"""Files to import on their way to the store: claimed in the database until a job has them."""

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import asyncpg

from memferry.database.pool import Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import Invalid, TooLarge, TooManyStoredBytes, UnknownToken, UploadLapsed
from memferry.files.threads import run_in_thread_if_large
from memferry.imports.request import TYPE, StoredRequest
from memferry.model.job import qualify_needs
from memferry.model.token import Caller
from memferry.settings import Quotas

# A store may take minutes to verify a file whose last byte has come.
_LEASE_SECONDS = 3600.0
_RENEWAL_SECONDS = 300.0
PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class IncomingFile:
    """A file as a client sends it."""

    chunks: AsyncIterable[bytes]
    is_wrapped: Callable[[], bool] = lambda: False
    """Whether it is an archive that we make of files of a form; asked after the last chunk."""


class MeasuredFile:
    """The pieces of a file as they come; at their end `size_bytes` and `sha256` are those of all.

    Raises TooLarge as soon as they are more than `most_bytes`, and Invalid if there are none.
    """

    def __init__(
        self,
        chunks: AsyncIterable[bytes],
        most_bytes: int,
        renew: Callable[[], Awaitable[None]],
    ) -> None:
        """`renew` is called every few minutes while pieces come."""
        self._chunks = chunks
        self._most_bytes = most_bytes
        self._renew = renew
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    @property
    def sha256(self) -> bytes:
        """The digest of what has come."""
        return self._digest.digest()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        piece, clock = bytearray(), asyncio.get_running_loop().time
        renewed_at = clock()
        async for chunk in self._chunks:
            piece += chunk
            if self.size_bytes + len(piece) > self._most_bytes:
                raise TooLarge("file", self._most_bytes)
            if len(piece) >= PIECE_BYTES:
                yield await self._measure(bytes(piece))
                piece.clear()
            if clock() - renewed_at > _RENEWAL_SECONDS:
                await self._renew()
                renewed_at = clock()
        if piece:
            yield await self._measure(bytes(piece))
        if self.size_bytes == 0:
            raise Invalid("body", "is empty; it must be the file to import")

    async def _measure(self, piece: bytes) -> bytes:
        await run_in_thread_if_large(self._digest.update, piece)
        self.size_bytes += len(piece)
        return piece


class ImportUploads:
    """The claims of files that come, of every tenant, one caller per call."""

    def __init__(self, database: Database, quotas: Quotas) -> None:
        self._database = database
        self._most_waiting_bytes = quotas.stored_bytes

    @retry_conflicts
    async def begin(self, caller: Caller, import_id: str) -> None:
        """Claim the key of a file; raises TooManyStoredBytes where too much waits already."""
        # All files of the tenant count, also those that the caller's token may not see.
        whole = Caller(tenant_id=caller.tenant_id)
        async with self._database.tenant(whole) as connection:
            row = await connection.fetchrow(
                sql("imports/begin_upload"), import_id, _LEASE_SECONDS, self._most_waiting_bytes
            )
        answer = dict(row or {})
        if answer["too_much"]:
            raise TooManyStoredBytes(self._most_waiting_bytes)
        if answer["id"] is None:
            raise UnknownToken  # its tenant is being deleted

    @retry_conflicts
    async def renew(self, caller: Caller, import_id: str) -> None:
        """Keep the claim; raises UploadLapsed if it has lapsed."""
        async with self._database.tenant(caller) as connection:
            renewed = await connection.fetchval(
                sql("imports/renew_upload"), import_id, _LEASE_SECONDS
            )
        if renewed is None:
            raise UploadLapsed

    @retry_conflicts
    async def end(self, caller: Caller, import_id: str) -> None:
        """Let go of the key; the sweeper removes what may lie there."""
        async with self._database.tenant(caller) as connection:
            await connection.execute(sql("imports/end_upload"), import_id)

    @retry_conflicts
    async def create_import(
        self, caller: Caller, import_id: str, request: StoredRequest
    ) -> asyncpg.Record:
        """Queue an import of the file that has come, and answer its row; raises UploadLapsed."""
        async with self._database.tenant(caller) as connection:
            row = await connection.fetchrow(
                sql("imports/create_import"),
                import_id,
                request.as_json,
                qualify_needs(TYPE, request.options.needs),
                request.size_bytes,
                bytes.fromhex(request.sha256),
            )
        if row is None:
            raise UploadLapsed
        return row
