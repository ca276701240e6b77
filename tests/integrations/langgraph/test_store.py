"""The store of LangGraph, waiting and awaited: what published stores are tested for."""

import asyncio
from typing import Any

import pytest
from langgraph.store.base import (
    BaseStore,
    GetOp,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchItem,
    SearchOp,
)

from memferry.client import AsyncClient, Client
from memferry.errors import Invalid
from memferry.integrations.langgraph import AsyncMemferryStore, MemferryStore
from support.people import Person

_EXACT: dict[str, Any] = {
    "z": "\u0000 \u2028 e\u0301 \U0001f375 \ud800",
    "a": [1, 1.0, 1e22, -0.0, 2**80, True, None, "", {}, []],
    "": {"nested": {"": [[]]}},
}


async def test_an_item_is_put_changed_and_deleted(store: BaseStore) -> None:
    namespace = ("users", "alice")
    await store.aput(namespace, "tea", {"text": "green"})
    first = await store.aget(namespace, "tea")
    await store.aput(namespace, "tea", {"text": "black"})
    second = await store.aget(namespace, "tea")
    await store.adelete(namespace, "tea")

    assert first is not None
    assert second is not None
    assert (first.namespace, first.key, first.value) == (namespace, "tea", {"text": "green"})
    assert second.value == {"text": "black"}
    assert second.created_at == first.created_at
    assert second.updated_at > first.updated_at
    assert await store.aget(namespace, "tea") is None
    assert await store.aget(("users",), "tea") is None


async def test_one_key_in_two_namespaces_is_two_items(store: BaseStore) -> None:
    for label in ("a", "b"):
        await store.aput((label,), "k", {"of": label})
        await store.aput((label,), "other", {})
    await store.aput(("a",), "k", {"of": "a again"})
    await store.adelete(("b",), "k")

    item = await store.aget(("a",), "k")
    assert item is not None
    assert item.value == {"of": "a again"}
    assert await store.aget(("b",), "k") is None
    assert len(await store.asearch(())) == 3


async def test_a_value_comes_back_exactly_with_types_and_order(store: BaseStore) -> None:
    await store.aput(("exact", "ü *%_"), "k/%_\u2028", _EXACT)
    item = await store.aget(("exact", "ü *%_"), "k/%_\u2028")

    assert item is not None
    assert repr(item.value) == repr(_EXACT)


@pytest.mark.parametrize(
    "value",
    [{"a": float("nan")}, {1: "a"}, {"a": {True: 1}}, {"a": {1, 2}}, {"a": b""}, "a", ["a"]],
)
async def test_what_json_does_not_hold_is_refused(store: BaseStore, value: Any) -> None:
    with pytest.raises(Invalid, match=r"^value: "):
        await store.aput(("a",), "k", value)

    assert await store.aget(("a",), "k") is None


async def test_a_large_value_comes_back(store: BaseStore) -> None:
    value = {"text": "\u00e9" * 500_000}
    await store.aput(("a",), "k", value)
    item = await store.aget(("a",), "k")

    assert item is not None
    assert item.value == value


async def test_a_batch_answers_in_order_and_reads_before_it_writes(store: BaseStore) -> None:
    await store.aput(("test", "foo"), "key1", {"data": "value1"})
    results = await store.abatch(
        [
            PutOp(("test", "bar"), "key2", {"data": "value2"}),
            GetOp(("test", "foo"), "key1"),
            SearchOp(("test",), filter={"data": "value1"}),
            PutOp(("test", "bar"), "key2", {"data": "last"}),
            ListNamespacesOp(),
            GetOp(("test", "bar"), "key2"),
            PutOp(("test", "foo"), "key3", None),
        ]
    )

    assert results[0] is results[3] is results[6] is None
    assert isinstance(results[1], Item)
    assert results[1].value == {"data": "value1"}
    assert isinstance(results[2], list)
    assert [item.key for item in results[2] if isinstance(item, SearchItem)] == ["key1"]
    assert results[4] == [("test", "foo")]
    assert results[5] is None
    item = await store.aget(("test", "bar"), "key2")
    assert item is not None
    assert item.value == {"data": "last"}


async def test_namespaces_are_listed_by_prefix_suffix_wildcard_and_depth(store: BaseStore) -> None:
    namespaces = [
        ("prod", "documents", "public"),
        ("test", "documents", "private"),
        ("test", "documents", "public"),
        ("test", "images", "public", "x"),
        ("testing",),
    ]
    for namespace in namespaces:
        await store.aput(namespace, "k", {})

    assert await store.alist_namespaces() == namespaces
    assert await store.alist_namespaces(prefix=("test",)) == namespaces[1:4]
    assert await store.alist_namespaces(suffix=("public",)) == [namespaces[0], namespaces[2]]
    assert await store.alist_namespaces(prefix=("*", "documents")) == namespaces[:3]
    assert await store.alist_namespaces(suffix=("images", "*", "x")) == [namespaces[3]]
    assert await store.alist_namespaces(prefix=("test",), suffix=("public",)) == [namespaces[2]]
    assert await store.alist_namespaces(prefix=("test",), max_depth=2) == [
        ("test", "documents"),
        ("test", "images"),
    ]
    assert await store.alist_namespaces(limit=2, offset=1) == namespaces[1:3]
    text: Any = "public"  # no tuple of one, as is easily written
    (by_text,) = await store.abatch([ListNamespacesOp((MatchCondition("suffix", text),))])
    assert by_text == [namespaces[0], namespaces[2]]
    await store.adelete(("testing",), "k")
    assert await store.alist_namespaces(prefix=("testing",)) == []


@pytest.mark.parametrize("namespace", [(), ("a.b",), ("",), ("langgraph",), ("a", 1)])
async def test_a_wrong_namespace_is_refused(store: BaseStore, namespace: Any) -> None:
    with pytest.raises(InvalidNamespaceError):
        await store.aput(namespace, "k", {})


async def test_operations_are_checked_like_methods(store: BaseStore) -> None:
    with pytest.raises(InvalidNamespaceError):
        await store.abatch([PutOp(("a.b",), "k", {})])


async def test_stores_of_two_roots_and_other_memories_are_apart(
    store: BaseStore, alice: Person
) -> None:
    await store.aput(("a",), "k", {"text": "tea"})
    alice.save("tea", namespace="langgraph.a")
    for namespace in ("langgraph2.a", "langgraphs"):
        own = {"namespace": {"0": "a"}, "key": namespace, "fields": {}, "searched": True}
        alice.save('{"text": "tea"}', namespace=namespace, metadata={"langgraph": own})
    with Client(str(alice.base_url), alice.token) as client:
        other = MemferryStore(client, root="elsewhere")

        assert await other.aget(("a",), "k") is None
        assert await other.asearch(()) == []
    assert len(await store.asearch((), query="tea")) == 1
    assert len(await store.asearch(())) == 1


async def test_one_key_put_twice_at_once_is_one_item(store: BaseStore, alice: Person) -> None:
    for number in range(2):
        own = {"namespace": {"0": "a"}, "key": "k", "fields": {}, "searched": True}
        alice.save(f'{{"n": {number}}}', namespace="langgraph.a", metadata={"langgraph": own})

    item = await store.aget(("a",), "k")
    assert item is not None
    assert [found.value for found in await store.asearch(("a",))] == [item.value]
    await store.aput(("a",), "k", {"n": 2})
    assert len(alice.get("/api/memories").json()) == 1


async def test_puts_side_by_side_all_arrive(store: BaseStore) -> None:
    puts = (store.aput(("many",), f"k{number}", {"n": number}) for number in range(20))
    await asyncio.gather(*puts)

    items = await store.asearch(("many",), limit=100)
    assert sorted(item.value["n"] for item in items) == list(range(20))


async def test_methods_that_do_not_await_refuse_to_block_the_loop(alice: Person) -> None:
    async with AsyncClient(str(alice.base_url), alice.token) as client:
        store = AsyncMemferryStore(client)
        with pytest.raises(asyncio.InvalidStateError, match="event loop"):
            store.get(("a",), "k")
        await asyncio.to_thread(store.put, ("a",), "k", {"x": 1})
        item = await asyncio.to_thread(store.get, ("a",), "k")

    assert item is not None
    assert item.value == {"x": 1}


@pytest.mark.parametrize("root", ["", "a.b"])
def test_a_root_that_could_not_be_told_from_labels_is_refused(root: str) -> None:
    with Client() as client, pytest.raises(Invalid, match="root"):
        MemferryStore(client, root=root)
