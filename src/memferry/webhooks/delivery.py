"""Deliveries: claim them in batches, sign them, send them, and retry with growing pauses."""

import asyncio
import hashlib
import hmac
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from uuid import UUID

import asyncpg
import httpcore
import msgspec
from msgspec import Raw

from memferry.database.pool import Connection, Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import Unavailable
from memferry.telemetry import log_event, log_span
from memferry.webhooks.outgoing import AddressRefused, Sender

_BATCH = 32
_CLAIM_SECONDS = 60.0
_FAILURES_TO_DISABLE = 20
# Pauses after the first attempt to the ninth: ten attempts over about three days.
_PAUSES_SECONDS = (10, 60, 300, 1800, 7200, 21600, 43200, 86400, 86400)
_USER_AGENT = f"memferry/{version('memferry')}"


class Deliverer:
    """Sends deliveries that are due; several deliverers may run at once, on any machine."""

    def __init__(self, database: Database, sender: Sender) -> None:
        self._database = database
        self._sender = sender

    async def tick(self) -> bool:
        """Claim a batch of deliveries and send them; answers False if none was due.

        A claim moves the next attempt into the future, so a delivery is due again if this process
        dies. A receiver gets each delivery at least once, under the same id.
        """
        async with self._database.connection() as connection:
            claims = await connection.fetch(
                sql("webhooks/claim_deliveries"), _BATCH, _CLAIM_SECONDS
            )
        async with asyncio.TaskGroup() as group:
            for claim in claims:
                group.create_task(self._attempt(claim["tenant_id"], claim["id"], claim["attempt"]))
        return bool(claims)

    async def _attempt(self, tenant_id: UUID, delivery_id: UUID, attempt: int) -> None:
        """Deliver one; if the database is away, the delivery is due again, as after a crash."""
        try:
            await self._deliver(tenant_id, delivery_id, attempt)
        except Unavailable as fault:
            log_event("delivery.postponed", delivery=delivery_id, attempt=attempt, reason=fault)

    async def _deliver(self, tenant_id: UUID, delivery_id: UUID, attempt: int) -> None:
        row = await self._read(tenant_id, delivery_id, attempt)
        if row is None or not row["enabled"]:
            return
        with log_span("delivery.attempted", delivery=delivery_id, attempt=attempt) as answer:
            status, error = await self._send(row)
            answer["status"] = status
        delivered = status is not None and 200 <= status < 300  # noqa: PLR2004 - RFC 9110, section 15.3
        pause = None
        if not delivered and attempt <= len(_PAUSES_SECONDS):
            pause = _PAUSES_SECONDS[attempt - 1] * random.uniform(1, 1.1)  # noqa: S311 - spreads retries
        outcome = (attempt, delivered, status, error, pause, _FAILURES_TO_DISABLE)
        await self._settle(tenant_id, delivery_id, row["message_id"], *outcome)

    @retry_conflicts
    async def _read(
        self, tenant_id: UUID, delivery_id: UUID, attempt: int
    ) -> asyncpg.Record | None:
        """Read a delivery and its message; a delivery of a disabled webhook loses its message."""
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(sql("webhooks/get_delivery"), delivery_id, attempt)
            if row is not None and not row["enabled"]:
                async with _release_message(connection, row["message_id"]):
                    await connection.execute(sql("webhooks/drop_delivery"), delivery_id, attempt)
        return row

    @retry_conflicts
    async def _settle(
        self, tenant_id: UUID, delivery_id: UUID, message_id: UUID, *outcome: object
    ) -> None:
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(sql("webhooks/lock_webhook"), delivery_id)
            async with _release_message(connection, message_id):
                await connection.execute(sql("webhooks/settle_delivery"), delivery_id, *outcome)

    async def _send(self, row: asyncpg.Record) -> tuple[int | None, str | None]:
        body = msgspec.json.encode(
            {
                "id": row["id"],
                "event": row["event"],
                "created_at": row["created_at"],
                "data": Raw(row["data"].encode()),
            }
        )
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "User-Agent": _USER_AGENT,
            "X-Mnueron-Signature": sign_body(row["secret"], body),
        }
        try:
            status = await self._sender.post(row["url"], body, headers)
        except (AddressRefused, OSError, TimeoutError, ValueError) as fault:
            return None, type(fault).__name__ if not str(fault) else str(fault)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as fault:
            return None, type(fault).__name__
        return status, None


@asynccontextmanager
async def _release_message(connection: Connection, message_id: UUID) -> AsyncIterator[None]:
    """Lock a message, and remove it at the end if no delivery needs it any more."""
    await connection.execute(sql("webhooks/lock_message"), message_id)
    yield
    await connection.execute(sql("webhooks/delete_message"), message_id)


def sign_body(secret: str, body: bytes) -> str:
    """Sign the raw body with HMAC-SHA256, as the published clients verify it."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
