"""What administers a tenant: tokens, webhooks, and the audit."""

from collections.abc import Iterable

from msgspec import UNSET, UnsetType

from memferry.client.calls import Call, make_path
from memferry.client.flows import choose_limit, iterate_pages, send
from memferry.client.methods import Asynchronous, FlowMethod, ListingMethod, Synchronous
from memferry.client.options import Id, Moment, make_body, make_change, make_list, make_params
from memferry.client.steps import Flow, Listing
from memferry.wire.audit import AuditEntry, AuditPage
from memferry.wire.tokens import CreatedToken, Token, TokenPage
from memferry.wire.webhooks import (
    ChangedWebhook,
    CreatedWebhook,
    Delivery,
    DeliveryPage,
    Webhook,
    WebhookList,
)


class TokenMethods:
    """Everything below /api/tokens; needs a token with the scope `admin`."""

    @ListingMethod
    def list(self, *, limit: int | None = None) -> Listing[Token]:
        """Hand out the tenant's tokens, newest first, revoked and expired ones too.

        >>> "examples" in [token.name for token in client.tokens.list()]
        True
        """
        params = make_params({"limit": choose_limit(limit)})
        call = Call("GET", make_path("tokens"), params=params)
        return iterate_pages(call, TokenPage, lambda page: page.tokens, limit)

    @FlowMethod
    def create(
        self,
        name: str = "",
        *,
        scopes: Iterable[str] | None = None,
        namespaces: Iterable[str] | None = None,
        expires_at: Moment | None = None,
    ) -> Flow[CreatedToken]:
        """Create a token for the same tenant; its `token` is shown only here.

        >>> created = client.tokens.create("laptop", scopes=["memories:read"])
        >>> created.token.startswith("mnu_")
        True
        """
        body = make_body(
            {
                "name": name,
                "scopes": None if scopes is None else make_list(scopes),
                "namespaces": None if namespaces is None else make_list(namespaces),
                "expires_at": expires_at,
            }
        )
        return send(Call("POST", make_path("tokens"), body), CreatedToken)

    @FlowMethod
    def get(self, token_id: Id) -> Flow[Token]:
        """Look up one token; raises TokenNotFound.

        >>> created = client.tokens.create("phone")
        >>> client.tokens.get(created.id).revoked_at is None
        True
        """
        return send(Call("GET", make_path("tokens", token_id)), Token)

    @FlowMethod
    def revoke(self, token_id: Id) -> Flow[None]:
        """Revoke a token from the next request on; raises TokenNotFound.

        >>> created = client.tokens.create("lost phone")
        >>> client.tokens.revoke(created.id)
        """
        return send(Call("DELETE", make_path("tokens", token_id)), type(None))


class WebhookMethods:
    """Everything below /api/webhooks."""

    @ListingMethod
    def list(self) -> Listing[Webhook]:
        """Hand out all webhooks, oldest first, without their secrets.

        >>> webhook = client.webhooks.create("https://example.com/all")
        >>> webhook.url in [webhook.url for webhook in client.webhooks.list()]
        True
        """
        call = Call("GET", make_path("webhooks"))
        return iterate_pages(call, WebhookList, lambda page: page.endpoints)

    @FlowMethod
    def create(
        self, url: str, *, events: Iterable[str] | None = None, description: str | None = None
    ) -> Flow[CreatedWebhook]:
        """Create a webhook for some events, or all; its `secret` is shown only here.

        >>> webhook = client.webhooks.create("https://example.com/hook", events=["memory.saved"])
        >>> webhook.enabled
        True
        """
        events = None if events is None else make_list(events)
        body = make_body({"url": url, "events": events, "description": description})
        return send(Call("POST", make_path("webhooks"), body), CreatedWebhook)

    @FlowMethod
    def get(self, webhook_id: Id) -> Flow[Webhook]:
        """Look up one webhook; raises WebhookNotFound.

        >>> webhook = client.webhooks.create("https://example.com/look")
        >>> client.webhooks.get(webhook.id).consecutive_failures
        0
        """
        return send(Call("GET", make_path("webhooks", webhook_id)), Webhook)

    @FlowMethod
    def update(
        self,
        webhook_id: Id,
        *,
        url: str | UnsetType = UNSET,
        events: Iterable[str] | UnsetType | None = UNSET,
        enabled: bool | UnsetType = UNSET,
        description: str | UnsetType | None = UNSET,
    ) -> Flow[ChangedWebhook]:
        """Change the given fields; `enabled=True` resets the count of failures.

        >>> webhook = client.webhooks.create("https://example.com/pause")
        >>> client.webhooks.update(webhook.id, enabled=False).enabled
        False
        """
        arguments = {
            "url": url,
            "events": make_list(events) if isinstance(events, Iterable) else events,
            "enabled": enabled,
            "description": description,
        }
        call = Call("PUT", make_path("webhooks", webhook_id), make_change(arguments))
        return send(call, ChangedWebhook)

    @FlowMethod
    def delete(self, webhook_id: Id) -> Flow[None]:
        """Delete a webhook with its waiting deliveries; raises WebhookNotFound.

        >>> webhook = client.webhooks.create("https://example.com/gone")
        >>> client.webhooks.delete(webhook.id)
        """
        return send(Call("DELETE", make_path("webhooks", webhook_id)), type(None))

    @ListingMethod
    def list_deliveries(self, webhook_id: Id, *, limit: int | None = None) -> Listing[Delivery]:
        """Hand out the deliveries to a webhook, newest first; raises WebhookNotFound.

        >>> webhook = client.webhooks.create("https://example.com/quiet", events=["export.failed"])
        >>> list(client.webhooks.list_deliveries(webhook.id))
        []
        """
        params = make_params({"limit": choose_limit(limit)})
        call = Call("GET", make_path("webhooks", webhook_id, "deliveries"), params=params)
        return iterate_pages(call, DeliveryPage, lambda page: page.deliveries, limit)


class AuditMethods:
    """Everything below /api/audit; needs a token with the scope `admin`."""

    @ListingMethod
    def list(self, *, event: str | None = None, limit: int | None = None) -> Listing[AuditEntry]:
        """Hand out who did what, newest first; never any content.

        >>> _ = client.tokens.create("watched")
        >>> [entry.outcome for entry in client.audit.list(event="token.created", limit=1)]
        ['ok']
        """
        params = make_params({"event": event, "limit": choose_limit(limit)})
        call = Call("GET", make_path("audit"), params=params)
        return iterate_pages(call, AuditPage, lambda page: page.entries, limit)


class TokenClient(TokenMethods, Synchronous):
    """`client.tokens`."""


class AsyncTokenClient(TokenMethods, Asynchronous):
    """`client.tokens` of an AsyncClient."""


class WebhookClient(WebhookMethods, Synchronous):
    """`client.webhooks`."""


class AsyncWebhookClient(WebhookMethods, Asynchronous):
    """`client.webhooks` of an AsyncClient."""


class AuditClient(AuditMethods, Synchronous):
    """`client.audit`."""


class AsyncAuditClient(AuditMethods, Asynchronous):
    """`client.audit` of an AsyncClient."""
