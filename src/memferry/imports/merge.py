"""The merge of staged rows into the memories of a tenant, in one transaction with the job's end."""

from collections import Counter
from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import Literal, LiteralString

import asyncpg

from memferry.database.pool import Connection, Database
from memferry.database.sql import sql
from memferry.errors import LeaseLost, TooManyMemories, TooManyMemoryBytes, UnknownToken
from memferry.imports.request import ImportRequest
from memferry.imports.rows import COLUMNS
from memferry.model.job import Claim
from memferry.settings import Quotas

_OUTCOME = {"skip": "conflict", "overwrite": "updated", "new_ids": "conflict"}
"""What becomes of a row whose memory is there and differs, by the conflict option."""


@dataclass(frozen=True)
class Merge:
    """One merge: its transaction, and what was asked for."""

    database: Database
    connection: Connection
    request: ImportRequest
    quotas: Quotas

    async def stage(
        self, chunks: AsyncIterable[bytes], format_: Literal["text", "binary"] = "text"
    ) -> None:
        """Copy all rows into the staging table, as COPY reads them in this format.

        Raises UnknownToken for a tenant that is being deleted.
        """
        if await self._run(sql("imports/lock_home")) is None:
            raise UnknownToken
        await self._run(sql("imports/create_staging"))
        await self._run(sql("imports/create_settled"))
        await self.connection.copy_to_table(
            "staged_memories",
            source=chunks,
            columns=COLUMNS,
            format=format_,
            timeout=self.database.long_running_timeout,
        )

    async def settle(self) -> Counter[str]:
        """Find out what becomes of each row, and whether there is room; answers the numbers.

        Raises TooManyMemories and TooManyMemoryBytes. Nothing is changed yet.
        """
        await self._run(sql("imports/analyze_staging"))
        await self._run(sql("imports/take_turn"))
        await self._run(sql("imports/settle_duplicates"))
        await self._run(sql("imports/settle_known"), _OUTCOME[self.request.conflict])
        rows = await self.connection.fetch(
            sql("imports/count_outcomes"), timeout=self.database.long_running_timeout
        )
        new = await self._measure()
        return Counter({row["outcome"]: row["rows"] for row in rows} | {"created": new})

    async def _measure(self) -> int:
        quotas = self.quotas
        row = await self._run(sql("imports/measure_staged"), quotas.memories, quotas.memory_bytes)
        measured = dict(row or {})
        if measured["too_many"]:
            raise TooManyMemories(quotas.memories)
        if measured["too_large"]:
            raise TooManyMemoryBytes(quotas.memory_bytes)
        rows: int = measured["rows"]
        return rows

    async def save(self, outcomes: Counter[str], *, with_histories: bool = False) -> int:
        """Save what is new and overwrite what was asked for; answers the bytes that were added.

        `with_histories`: whether staged rows have some, which come with new memories. Corrects the
        numbers by rows that others have saved since.
        """
        saved = await self._change(sql("imports/save_staged"))
        outcomes["conflict"] += outcomes["created"] - saved["rows"]
        outcomes["created"] = saved["rows"]
        added_bytes: int = saved["bytes"]
        if with_histories:
            await self._run(sql("imports/save_histories"))
        if outcomes["updated"]:
            changed = await self._change(sql("imports/overwrite_memories"))
            # The others were deleted, or are beyond the limit of the token.
            outcomes["conflict"] += outcomes["updated"] - changed["rows"]
            outcomes["updated"] = changed["rows"]
            added_bytes += changed["bytes"]
        return added_bytes

    async def count_usage(self, rows: int, added_bytes: int) -> None:
        """Count what was added, last of all."""
        await self.connection.execute(sql("imports/count_usage"), rows, added_bytes)

    async def _change(self, statement: LiteralString, *arguments: object) -> asyncpg.Record:
        row = await self._run(statement, *arguments)
        if row is None:
            raise AssertionError("a count is one row")
        return row

    async def _run(self, statement: LiteralString, *arguments: object) -> asyncpg.Record | None:
        return await self.connection.fetchrow(
            statement, *arguments, timeout=self.database.long_running_timeout
        )


async def keep_report(connection: Connection, claim: Claim, report: str) -> None:
    """Keep a report with its job, which stays locked; raises LeaseLost."""
    job_id = await connection.fetchval(
        sql("imports/keep_report"), claim.job_id, claim.attempt, claim.worker, report
    )
    if job_id is None:
        raise LeaseLost
