"""The bodies and the answers of webhooks."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from memferry.wire.schema import NextCursor, describe


class NewWebhook(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A new webhook; no events means all events."""

    url: Annotated[str, describe("public, and by https", example="https://example.com/hook")]
    events: Annotated[
        list[str] | None, describe("those it is told of", example=["memory.saved"])
    ] = None
    description: Annotated[str | None, describe("a note")] = None


class WebhookChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change of a webhook; fields that are missing stay."""

    url: Annotated[str | UnsetType, describe("public, and by https")] = UNSET
    events: Annotated[list[str] | UnsetType | None, describe("null or empty: all")] = UNSET
    enabled: Annotated[bool | UnsetType, describe("whether it is told of events")] = UNSET
    description: Annotated[
        str | UnsetType | None, describe("a note; null clears it", example="the chat of the team")
    ] = UNSET


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """An address that is told of events."""

    id: UUID
    url: str
    events: list[str]
    description: str | None
    enabled: bool
    consecutive_failures: int
    last_success_at: int | None
    last_failure_at: int | None
    created_at: int
    updated_at: int
    dropped: Annotated[int, describe("events it was not told of, since too much waited already")]


class ChangedWebhook(Webhook, frozen=True, kw_only=True):
    """A webhook after its change."""

    updated: Annotated[bool, describe(const=True)]


class CreatedWebhook(Webhook, frozen=True, kw_only=True):
    """The only answer that ever shows the secret."""

    secret: str


class WebhookList(msgspec.Struct, frozen=True, kw_only=True):
    """All webhooks of the tenant."""

    endpoints: list[Webhook]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one webhook, sent or waiting."""

    id: UUID
    event: str
    created_at: int
    attempt: Annotated[int, describe("how often it was sent")]
    next_attempt_at: Annotated[int | None, describe("null when no attempt follows")]
    delivered_at: int | None
    last_status: Annotated[int | None, describe("HTTP status of the receiver's last answer")]
    last_error: Annotated[str | None, describe("why there was no answer")]


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The most recent deliveries to one webhook, newest first."""

    deliveries: list[Delivery]
    next_cursor: NextCursor = None
