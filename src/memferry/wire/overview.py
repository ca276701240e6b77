"""The answer that tells what there is: how many memories, of which namespaces, from when."""

from typing import Annotated

import msgspec

from memferry.wire.schema import describe


class NamespaceSpans(msgspec.Struct, frozen=True, kw_only=True):
    """The memories of one namespace over time."""

    namespace: Annotated[str | None, describe("null: all namespaces that are not named")]
    count: int
    counts: Annotated[list[int], describe("of each span of time, from `starts_at` on")]


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The memories that the token sees; times in epoch milliseconds UTC."""

    memories: int
    namespaces: Annotated[int, describe("up to 20,000 are counted")]
    first_at: Annotated[int | None, describe("when the oldest was created; null without any")]
    last_at: Annotated[int | None, describe("when the newest was created; null without any")]
    starts_at: Annotated[int, describe("when the first span of time begins")]
    span_ms: Annotated[int, describe("how long each span of time is", minimum=1)]
    counts_exact: Annotated[
        bool, describe("false: above 100,000 memories `series` is estimated from every 128th")
    ]
    series: Annotated[list[NamespaceSpans], describe("the largest namespaces, and all others")]
