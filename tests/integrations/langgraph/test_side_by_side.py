"""What comes side by side, and what one after the other."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from langgraph.store.base import BaseStore, GetOp, Item, Op, PutOp, SearchOp

from memferry.client import AsyncClient
from memferry.errors import Invalid, TooLarge
from memferry.integrations.langgraph import AsyncMemferryStore
from support.people import Person


class CountingTransport(httpx.AsyncHTTPTransport):
    """The network; it knows how many requests were under way at once, and of which kinds."""

    def __init__(self) -> None:
        super().__init__(limits=httpx.Limits(max_connections=100))
        self.under_way = self.most = 0
        self.calls: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.calls.append(f"{request.method} {request.url.path}")
        try:
            return await super().handle_async_request(request)
        finally:
            self.under_way -= 1


@pytest.fixture
def network() -> CountingTransport:
    return CountingTransport()


@pytest.fixture
async def awaited(alice: Person, network: CountingTransport) -> AsyncIterator[AsyncMemferryStore]:
    """The store that is awaited, over a network that counts."""
    async with AsyncClient(str(alice.base_url), alice.token, transport=network) as client:
        yield AsyncMemferryStore(client)


async def test_reads_of_a_batch_come_side_by_side_but_not_all_at_once(
    awaited: AsyncMemferryStore, network: CountingTransport
) -> None:
    await awaited.aput(("a",), "k", {"n": 1})
    results = await awaited.abatch([GetOp(("a",), key) for key in ("k", *("missing",) * 40, "k")])

    assert [isinstance(item, Item) for item in results] == [True, *[False] * 40, True]
    assert network.most == 8


async def test_reads_that_nobody_batched_come_side_by_side_but_not_all_at_once(
    awaited: AsyncMemferryStore, network: CountingTransport
) -> None:
    await asyncio.gather(*(awaited.aget(("a",), str(number)) for number in range(200)))

    assert network.most == 8


async def test_writes_of_a_batch_come_side_by_side_after_its_reads(
    awaited: AsyncMemferryStore, network: CountingTransport
) -> None:
    operations: list[Op] = [PutOp(("a",), str(number), {"n": number}) for number in range(20)]
    results = await awaited.abatch([*operations, *(GetOp(("a",), str(n)) for n in range(20))])

    assert results == [None] * 40
    assert network.most == 8
    assert set(network.calls[:20]) == {"POST /api/memories/list"}
    assert len(await awaited.asearch(("a",), limit=100)) == 20


async def test_puts_of_one_key_side_by_side_make_one_memory(
    store: BaseStore, alice: Person
) -> None:
    await asyncio.gather(*(store.aput(("a",), "k", {"n": number}) for number in range(20)))

    assert len(alice.get("/api/memories").json()) == 1


async def test_the_last_of_puts_of_one_key_counts(awaited: AsyncMemferryStore) -> None:
    await asyncio.gather(*(awaited.aput(("a",), "k", {"n": number}) for number in range(20)))

    item = await awaited.aget(("a",), "k")
    assert item is not None
    assert item.value == {"n": 19}


async def test_a_put_that_the_service_refuses_is_told_and_others_arrive(
    awaited: AsyncMemferryStore,
) -> None:
    texts = {"a": "x" * 1_100_000, "b": "tea"}
    with pytest.raises(TooLarge):
        await awaited.abatch([PutOp(("a",), key, {"text": text}) for key, text in texts.items()])

    assert [item.key for item in await awaited.asearch(())] == ["b"]


async def test_a_batch_with_a_wrong_operation_sends_nothing(
    awaited: AsyncMemferryStore, network: CountingTransport
) -> None:
    wrong: list[Op] = [PutOp(("a",), "k", {}, ttl=-1), PutOp(("a",), "k", {"a": b""})]
    for operation in (*wrong, SearchOp((), {"a": {"$like": 1}})):
        with pytest.raises(Invalid):
            await awaited.abatch([PutOp(("a",), "ok", {}), GetOp(("a",), "ok"), operation])

    assert network.calls == []
