"""The answer about the limits of a tenant."""

from typing import Annotated

import msgspec

from memferry.wire.schema import describe


class LimitUse(msgspec.Struct, frozen=True, kw_only=True):
    """One limit of the tenant."""

    limit: int
    used: Annotated[int | None, describe("null where only a rate is limited")]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Each limit with its use."""

    memories: LimitUse
    memory_bytes: Annotated[LimitUse, describe("texts and metadata of all memories")]
    webhooks: LimitUse
    projects: LimitUse
    waiting_messages: Annotated[LimitUse, describe("events that webhooks are still to be told of")]
    waiting_message_bytes: LimitUse
    requests_per_minute: Annotated[LimitUse, describe("of one process of the service")]
    audit_notes_per_minute: Annotated[
        LimitUse,
        describe("refusals, links and downloads noted one by one; more of them are counted"),
    ]
    exports_per_hour: LimitUse
    unfinished_exports: LimitUse
    stored_bytes: Annotated[LimitUse, describe("payloads and files of completed exports")]
