"""The webhook endpoints."""

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import WebhookNotFound
from memferry.http import shapes
from memferry.http.docs import add_route
from memferry.http.requests import caller, read_body, uuid_or
from memferry.http.views import json_answer, raw_answer, rows
from memferry.model import json
from memferry.model.webhook import NewWebhook, WebhookChange
from memferry.webhooks.service import Webhooks

_BODY_BYTES = 64 * 1024
_new = msgspec.json.Decoder(NewWebhook)
_change = msgspec.json.Decoder(WebhookChange)


class WebhookEndpoints:
    """Everything below /api/webhooks."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def router(self) -> APIRouter:
        """All addresses of webhooks."""
        router = APIRouter(tags=["webhooks"])
        base, one = "/api/webhooks", "/api/webhooks/{webhook_id}"
        # Deliveries bring memories of every namespace: who says where to must be able to read all.
        reading: dict[str, Any] = {"scopes": ["memories:read"], "whole_tenant": True}
        writing = reading | {"scopes": ["memories:read", "memories:write"]}
        add_route(router, f"GET {base}", self.list_webhooks, 200, shapes.WebhookList, **reading)
        add_route(
            router, f"POST {base}", self.create_webhook, 201, shapes.CreatedWebhook, 400, 413,
            body=shapes.NewWebhook, **writing,
        )  # fmt: skip
        add_route(router, f"GET {one}", self.get_webhook, 200, shapes.Webhook, 404, **reading)
        add_route(
            router, f"PUT {one}", self.change_webhook, 200, shapes.Webhook, 400, 404, 413,
            body=shapes.WebhookChange, **writing,
        )  # fmt: skip
        add_route(router, f"DELETE {one}", self.delete_webhook, 204, None, 404, **writing)
        add_route(
            router, f"GET {one}/deliveries", self.list_deliveries, 200, shapes.DeliveryList, 404,
            **reading,
        )  # fmt: skip
        return router

    async def list_webhooks(self, request: Request) -> Response:
        """All webhooks, oldest first, without their secrets."""
        return json_answer({"endpoints": rows(await self._webhooks.all(caller(request)))})

    async def create_webhook(self, request: Request) -> Response:
        """Make a webhook. Its secret, which signs every delivery, is shown only here."""
        new = json.decode(_new, await read_body(request, _BODY_BYTES))
        made = await self._webhooks.create(caller(request), new)
        return raw_answer(made.encode(), 201)

    async def get_webhook(self, request: Request, webhook_id: str) -> Response:
        """One webhook."""
        found = await self._webhooks.get(caller(request), uuid_or(webhook_id, WebhookNotFound()))
        return raw_answer(found.encode())

    async def change_webhook(self, request: Request, webhook_id: str) -> Response:
        """Change what is given; enabling starts the count of failures anew."""
        change = json.decode(_change, await read_body(request, _BODY_BYTES) or b"{}")
        changed = await self._webhooks.change(
            caller(request), uuid_or(webhook_id, WebhookNotFound()), change
        )
        return raw_answer(changed.encode())

    async def delete_webhook(self, request: Request, webhook_id: str) -> Response:
        """Delete a webhook, and what still waits to be sent to it."""
        await self._webhooks.delete(caller(request), uuid_or(webhook_id, WebhookNotFound()))
        return Response(status_code=204)

    async def list_deliveries(self, request: Request, webhook_id: str) -> Response:
        """The 100 most recent deliveries to a webhook, newest first, without their bodies."""
        found = await self._webhooks.deliveries(
            caller(request), uuid_or(webhook_id, WebhookNotFound())
        )
        return json_answer({"deliveries": rows(found)})
