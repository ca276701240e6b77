"""What comes side by side, and what one after the other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

import httpx
import pytest
from langgraph.store.base import BaseStore, GetOp, Item, Op, PutOp, SearchOp

from memferry.client import AsyncClient
from memferry.errors import Invalid, TooLarge
from memferry.integrations.langgraph import AsyncMemferryStore, VectorIndexConfig
from support.embeddings import DIMS, MeaningEmbeddings
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
async def make_awaited(
    alice: Person, network: CountingTransport
) -> AsyncIterator[Callable[..., AsyncMemferryStore]]:
    """Makes stores that are awaited, over a network that counts."""
    async with AsyncClient(str(alice.base_url), alice.token, transport=network) as client:
        yield partial(AsyncMemferryStore, client)


@pytest.fixture
async def awaited(make_awaited: Callable[..., AsyncMemferryStore]) -> AsyncMemferryStore:
    """A store without options, over a network that counts."""
    return make_awaited()


async def test_reads_of_a_batch_come_side_by_side_but_not_all_at_once(
    awaited: AsyncMemferryStore, network: CountingTransport
) -> None:
    await awaited.aput(("a",), "5", {"n": 1})
    results = await awaited.abatch([GetOp(("a",), str(number)) for number in range(40)])

    assert [isinstance(item, Item) for item in results] == [n == 5 for n in range(40)]
    assert network.most == 8


async def test_reads_that_nobody_batched_come_side_by_side_but_not_all_at_once(
    awaited: AsyncMemferryStore, network: CountingTransport
) -> None:
    tasks = []
    for number in range(40):
        tasks.append(asyncio.create_task(awaited.aget(("a",), str(number))))
        await asyncio.sleep(0)

    assert await asyncio.gather(*tasks) == [None] * 40
    assert network.most == 8


async def test_equal_reads_at_once_are_one_and_share_no_value(
    awaited: AsyncMemferryStore, network: CountingTransport
) -> None:
    await awaited.aput(("a",), "k", {"list": [1]})
    network.calls.clear()
    items = await asyncio.gather(*(awaited.aget(("a",), "k") for _ in range(5)))
    for item in items:
        assert item is not None
        item.value["list"].append(2)

    assert [item.value for item in items if item] == [{"list": [1, 2]}] * 5
    assert len(network.calls) == 1
    await awaited.aget(("a",), "k")
    assert len(network.calls) == 2


async def test_writes_of_a_batch_come_side_by_side_after_its_reads(
    awaited: AsyncMemferryStore, network: CountingTransport
) -> None:
    operations: list[Op] = [PutOp(("a",), str(number), {"n": number}) for number in range(20)]
    results = await awaited.abatch([*operations, *(GetOp(("a",), str(n)) for n in range(20))])

    assert results == [None] * 40
    assert network.most == 8
    assert set(network.calls[:20]) == {"POST /api/memories/list"}
    assert len(await awaited.asearch(("a",), limit=100)) == 20


async def _put_one_after_the_other(store: BaseStore) -> None:
    tasks = []
    for number in range(10):
        tasks.append(asyncio.create_task(store.aput(("a",), "k", {"n": number})))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)


async def test_puts_of_one_key_side_by_side_make_one_memory(
    store: BaseStore, alice: Person
) -> None:
    await _put_one_after_the_other(store)

    assert len(alice.get("/api/memories").json()) == 1


async def test_the_last_of_puts_of_one_key_counts(
    awaited: AsyncMemferryStore, network: CountingTransport
) -> None:
    await _put_one_after_the_other(awaited)
    last = await awaited.aget(("a",), "k")
    network.calls.clear()
    await asyncio.gather(*(awaited.aput(("a",), "k", {"n": number}) for number in range(20, 30)))
    last_at_once = await awaited.aget(("a",), "k")

    assert last is not None
    assert last.value == {"n": 9}
    assert last_at_once is not None
    assert last_at_once.value == {"n": 29}
    assert len(network.calls) == 3  # look up, change, and look at the result


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


async def test_texts_that_come_at_once_are_embedded_in_one_call(
    make_awaited: Callable[..., AsyncMemferryStore],
) -> None:
    embeddings = MeaningEmbeddings()
    store = make_awaited(index=VectorIndexConfig(dims=DIMS, embed=embeddings, fields=["text"]))
    puts = (store.aput(("a",), str(n), {"text": f"tea {n % 3}"}) for n in range(6))
    await asyncio.gather(*puts, store.asearch((), query="tea"), store.asearch((), query="tea"))

    assert embeddings.batches == [["tea 0", "tea 1", "tea 2"]]
    assert embeddings.queries == ["tea"]


async def test_each_caller_gets_its_own_fault(
    make_awaited: Callable[..., AsyncMemferryStore],
) -> None:
    def fail(_texts: object) -> list[list[float]]:
        raise ConnectionError("the model is away")

    store = make_awaited(index=VectorIndexConfig(dims=DIMS, embed=fail))
    results = await asyncio.gather(
        store.aget(("a",), "k"),
        store.aput(("a",), "large", {"text": "x" * 1_100_000}, index=False),
        store.asearch((), filter={"a": {"$like": 1}}),
        store.asearch((), query="tea"),
        store.asearch(()),
        return_exceptions=True,
    )

    assert results[0] is None
    assert [type(result) for result in results[1:4]] == [TooLarge, Invalid, ConnectionError]
    assert results[4] == []
