"""The webhooks of one tenant. Rows are answered as JSON text."""

import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Raw

from memferry.database.pool import Database
from memferry.database.retry import retry_conflicts
from memferry.database.sql import sql
from memferry.errors import Invalid, WebhookNotFound
from memferry.model.token import Caller
from memferry.model.webhook import check_description, check_events, check_url
from memferry.settings import Quotas, WebhookSettings
from memferry.wire.webhooks import NewWebhook, WebhookChange

# The position before the newest delivery that can exist.
_FIRST = (2**63 - 1, UUID(int=0))


class Webhooks:
    """The webhooks of every tenant, one caller per call."""

    def __init__(
        self,
        database: Database,
        settings: WebhookSettings = WebhookSettings(),
        quotas: Quotas = Quotas(),
    ) -> None:
        self._database = database
        self._most = quotas.webhooks
        self._allow_private = settings.allow_private

    @retry_conflicts
    async def create(self, caller: Caller, new: NewWebhook) -> str:
        """Create a webhook; no later answer shows its secret.

        Raises Invalid for a wrong field, or if the tenant has as many webhooks as it may have.
        """
        url = check_url(new.url, allow_private=self._allow_private)
        events, description = check_events(new.events), check_description(new.description)
        secret = f"whsec_{secrets.token_urlsafe(32)}"
        async with self._database.tenant(caller) as connection:
            row: str | None = await connection.fetchval(
                sql("webhooks/create_webhook"), url, events, description, secret, self._most
            )
        if row is None:
            raise Invalid("url", f"there are {self._most} webhooks already; delete one first")
        answer = msgspec.json.decode(row, type=dict[str, Raw])
        return msgspec.json.encode(answer | {"secret": secret}).decode()

    async def get(self, caller: Caller, webhook_id: UUID) -> str:
        """One webhook's row; raises WebhookNotFound."""
        async with self._database.tenant(caller) as connection:
            return _require(await connection.fetchval(sql("webhooks/get_webhook"), webhook_id))

    async def list_all(self, caller: Caller) -> Sequence[str]:
        """All rows, oldest first."""
        async with self._database.tenant(caller) as connection:
            return [row[0] for row in await connection.fetch(sql("webhooks/list_webhooks"))]

    @retry_conflicts
    async def change(self, caller: Caller, webhook_id: UUID, change: WebhookChange) -> str:
        """Change the fields that are set; `enabled: true` resets the count of failures."""
        fields = {name: getattr(change, name) for name in change.__struct_fields__}
        fields = {name: value for name, value in fields.items() if value is not UNSET}
        if not fields:
            raise Invalid("body", "give at least one of url, events, enabled, description")
        if "url" in fields:
            fields["url"] = check_url(fields["url"], allow_private=self._allow_private)
        events = check_events(fields["events"]) if "events" in fields else None
        description = check_description(fields.get("description"))
        async with self._database.tenant(caller) as connection:
            return _require(
                await connection.fetchval(
                    sql("webhooks/change_webhook"),
                    webhook_id,
                    fields.get("url"),
                    events,
                    fields.get("enabled"),
                    "description" in fields,
                    description,
                )
            )

    @retry_conflicts
    async def delete(self, caller: Caller, webhook_id: UUID) -> None:
        """Delete a webhook and its deliveries; raises WebhookNotFound."""
        async with self._database.tenant(caller) as connection:
            _require(await connection.fetchval(sql("webhooks/delete_webhook"), webhook_id))

    async def list_deliveries(
        self, caller: Caller, webhook_id: UUID, *, limit: int, place: Sequence[Any] | None = None
    ) -> Sequence[asyncpg.Record]:
        """The deliveries of one webhook after a place in the list, newest first.

        A place is `created_at` and id, which stand beside each `row`; None: the beginning. Raises
        WebhookNotFound.
        """
        async with self._database.tenant(caller) as connection:
            _require(await connection.fetchval(sql("webhooks/get_webhook"), webhook_id))
            return await connection.fetch(
                sql("webhooks/list_deliveries"), webhook_id, limit, *(place or _FIRST)
            )


def _require(row: str | None) -> str:
    if row is None:
        raise WebhookNotFound
    return row
