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


async def _put_documents(store: BaseStore) -> None:
    documents: dict[tuple[str, str], dict[str, Any]] = {
        ("docs", "doc1"): {"title": "First", "author": "Alice", "tags": ["a"], "score": 4.5},
        ("docs", "doc2"): {"title": "Second", "author": "Bob", "tags": ["b"], "score": 9},
        ("docs", "doc3"): {"title": "Third", "author": "Alice", "tags": ["a"], "score": 10},
        ("images", "doc4"): {"title": "1", "author": None, "tags": [], "score": True},
        ("images", "doc5"): {"title": "x" * 1000, "author": "Alice", "nested": {"a": 1}},
    }
    for (label, key), value in documents.items():
        await store.aput(("test", label), key, value)


_FILTERS: list[tuple[dict[str, Any], str]] = [
    ({"author": "Alice"}, "135"),
    ({"author": {"$eq": "Alice"}, "score": {"$gt": 4.5}}, "3"),
    ({"author": {"$ne": "Alice"}}, "24"),
    ({"author": None}, "4"),
    ({"missing": None}, ""),
    ({"missing": {"$ne": 1}}, ""),
    ({"tags": ["a"]}, "13"),
    ({"tags": []}, "4"),
    ({"nested": {"a": 1}}, "5"),
    ({"nested": {}}, ""),
    ({"title": "x" * 1000}, "5"),
    ({"score": True}, "4"),
    ({"score": 1}, ""),
    ({"score": 9.0}, "2"),
    ({"score": {"$gte": 9}}, "23"),
    ({"score": {"$gt": 9}}, "3"),
    ({"score": {"$lt": 10, "$gt": 4}}, "12"),
    ({"score": {"$lte": 4.5}}, "1"),
    ({"score": {"$lt": float("inf")}}, "123"),
    ({"score": float("nan")}, ""),
    ({"title": {"$gt": "Second"}}, "35"),
    ({"title": {"$gt": 1}}, ""),
]


async def test_a_search_filters_values(store: BaseStore) -> None:
    await _put_documents(store)
    for filter_, keys in _FILTERS:
        items = await store.asearch(("test",), filter=filter_)

        found = sorted(item.key for item in items)
        assert (filter_, found) == (filter_, [f"doc{number}" for number in keys])


async def test_a_filter_may_have_more_fields_than_the_service_takes(store: BaseStore) -> None:
    value = {f"field {number}": number for number in range(200)}
    await store.aput(("a",), "k", value)

    assert [item.key for item in await store.asearch((), filter=value)] == ["k"]
    assert await store.asearch((), filter=value | {"field 199": 0}) == []


@pytest.mark.parametrize("condition", [{"$like": "x"}, {"$gt": None}, {"$gt": True}, {"$lt": [1]}])
async def test_an_unknown_comparison_is_refused(store: BaseStore, condition: Any) -> None:
    with pytest.raises(Invalid, match=r"^filter: score: "):
        await store.asearch(("test",), filter={"score": condition})


async def test_a_search_is_below_a_prefix_of_labels_and_paged(store: BaseStore) -> None:
    await _put_documents(store)
    await store.aput(("test2", "docs"), "other", {})
    every = [item.key for item in await store.asearch(("test",))]
    pages = [await store.asearch(("test",), limit=2, offset=offset) for offset in (0, 2, 4, 6)]

    assert every == ["doc5", "doc4", "doc3", "doc2", "doc1"]
    assert [item.key for page in pages for item in page] == every
    assert len(await store.asearch(("test", "docs"))) == 3
    assert len(await store.asearch(())) == 6
    assert await store.asearch(("tes",)) == []
    assert {item.score for item in await store.asearch(())} == {None}


async def test_a_query_ranks_what_shares_its_words(store: BaseStore) -> None:
    texts = ["red apple", "red car", "green apple", "blue car"]
    for number, text in enumerate(texts, 1):
        await store.aput(("q",), f"doc{number}", {"text": text, "color": text.split()[0]})
    await store.aput(("q",), "hidden", {"text": "red apple"}, index=False)
    both = await store.asearch(("q",), query="green apple")
    red = await store.asearch(("q",), query="apple!@#$%^&*()", filter={"color": "red"})

    assert [item.key for item in both] == ["doc3", "doc1"]
    assert both[0].score is not None
    assert both[1].score is not None
    assert both[0].score > both[1].score
    assert [item.key for item in red] == ["doc1"]
    assert len(await store.asearch(("q",), query=" ")) == 5
    assert await store.aget(("q",), "hidden") is not None


async def test_texts_in_all_scripts_are_found(store: BaseStore) -> None:
    texts = ["这是中文", "これは日本語です", "이건 한국어야", "Это русский", "यह रूसी है"]
    for number, text in enumerate(texts):
        await store.aput(("scripts",), str(number), {"text": text})
    found = [(await store.asearch(("scripts",), query=text))[0].key for text in texts]

    assert found == ["0", "1", "2", "3", "4"]


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
    (by_text,) = await store.abatch([ListNamespacesOp((MatchCondition("suffix", "public"),))])  # type: ignore[arg-type]
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


async def test_a_time_to_live_is_put_off_by_reads(store: BaseStore, alice: Person) -> None:
    def read_row() -> dict[str, Any]:
        (row,) = alice.get("/api/memories").json()
        return dict(row)

    await store.aput(("t",), "k", {"text": "tea"}, ttl=60)
    row = read_row()
    earlier = row["expires_at"] - 10**6
    alice.patch(f"/api/memories/{row['id']}", json={"expires_at": earlier})
    await store.aget(("t",), "k", refresh_ttl=False)
    await store.asearch(("t",), refresh_ttl=False)
    assert read_row()["expires_at"] == earlier
    await store.asearch(("t",), query="tea")
    assert read_row()["expires_at"] >= row["expires_at"]
    alice.patch(f"/api/memories/{row['id']}", json={"expires_at": earlier})
    await store.aget(("t",), "k")
    assert read_row()["expires_at"] >= row["expires_at"]
    await store.aput(("t",), "k", {"text": "tea"})
    assert "expires_at" not in read_row()


@pytest.mark.parametrize(("minutes", "changes"), [(0.9, True), (600, False)])
async def test_a_read_puts_off_an_expiry_unless_that_adds_hardly_anything(
    store: BaseStore, alice: Person, *, minutes: float, changes: bool
) -> None:
    await store.aput(("t",), "k", {}, ttl=minutes)
    before = alice.get("/api/memories").json()
    await store.aget(("t",), "k")

    assert (alice.get("/api/memories").json() != before) is changes


async def test_an_item_is_gone_after_its_time_to_live(store: BaseStore) -> None:
    await store.aput(("t",), "k", {"text": "tea"}, ttl=0.01)
    async with asyncio.timeout(10):
        while await store.aget(("t",), "k", refresh_ttl=False):  # noqa: ASYNC110 - time passes
            await asyncio.sleep(0.02)

    assert await store.asearch(("t",), query="tea") == []
    assert await store.alist_namespaces() == []
    await store.aput(("t",), "k", {"text": "new"})
    assert await store.aget(("t",), "k") is not None


@pytest.mark.parametrize("ttl", [0, -1, float("nan"), 1e300])
async def test_a_time_to_live_is_above_0(store: BaseStore, ttl: float) -> None:
    with pytest.raises(Invalid, match="ttl"):
        await store.aput(("t",), "k", {}, ttl=ttl)


async def test_a_store_has_a_usual_time_to_live(alice: Person) -> None:
    with Client(str(alice.base_url), alice.token) as client:
        store = MemferryStore(client, ttl={"default_ttl": 5, "refresh_on_read": False})
        await store.aput(("t",), "k", {})
        await store.aput(("t",), "forever", {}, ttl=None)

    rows = {row["metadata"]["langgraph"]["key"]: row for row in alice.get("/api/memories").json()}
    assert "expires_at" in rows["k"]
    assert "expires_at" not in rows["forever"]


async def test_programs_that_start_a_sweeper_go_on_and_have_nothing_to_sweep(alice: Person) -> None:
    with Client(str(alice.base_url), alice.token) as client:
        store = MemferryStore(client)

        store.setup()
        assert store.start_ttl_sweeper(sweep_interval_minutes=1).result(timeout=1) is None
        assert store.sweep_ttl() == 0
        assert store.stop_ttl_sweeper(timeout=1)
    async with AsyncClient(str(alice.base_url), alice.token) as client:
        awaited = AsyncMemferryStore(client)
        await awaited.setup()
        await (await awaited.start_ttl_sweeper())

        assert await awaited.sweep_ttl() == 0
        assert await awaited.stop_ttl_sweeper()


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


async def test_a_filter_reads_on_until_the_page_is_full(store: BaseStore, alice: Person) -> None:
    rows = []
    for number in range(1200):
        own = {"namespace": {"0": "n"}, "key": f"k{number}", "fields": {}, "searched": True}
        metadata = {"langgraph": own}
        text = f'{{"n": {number}}}'
        rows.append({"content": text, "namespace": "langgraph.n", "metadata": metadata})
    alice.save_many(rows)
    items = await store.asearch(("n",), filter={"n": {"$lt": 3}}, limit=2, offset=1)

    assert len(items) == 2


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
