"""Searches by meaning, on either client: which items they find, in which order, how they score."""

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from langgraph.store.base import BaseStore, PutOp, SearchOp
from langgraph.store.memory import InMemoryStore

from memferry.client import Client
from memferry.integrations.langgraph import MemferryStore
from support.embeddings import embed_text, make_index
from support.people import Person


@pytest.fixture
async def meanings(make_store: Callable[..., BaseStore]) -> BaseStore:
    """A store whose queries search by the meaning of the field `text`."""
    return make_store(index=make_index())


async def _put_texts(store: BaseStore, *texts: str) -> None:
    for number, text in enumerate(texts):
        await store.aput(("m",), str(number), {"text": text, "n": number})


async def _list_keys(store: BaseStore, query: str, **more: Any) -> str:
    return "".join(item.key for item in await store.asearch(("m",), query=query, **more))


async def test_a_query_finds_what_it_means_and_shares_no_word_with(meanings: BaseStore) -> None:
    await _put_texts(meanings, "crimson pear", "emerald bus", "green coffee", "red vehicle")

    assert await _list_keys(meanings, "tea", limit=1) == "2"
    assert await _list_keys(meanings, "red fruit", limit=1) == "0"
    assert sorted(await _list_keys(meanings, "car", limit=2)) == ["1", "3"]


@pytest.mark.parametrize("vector_type", ["vector", "halfvec"])
async def test_scores_have_the_scale_of_each_distance(
    make_store: Callable[..., BaseStore], vector_type: str
) -> None:
    query, text = embed_text("red tea"), embed_text("red red apple")
    product = math.fsum(a * b for a, b in zip(query, text, strict=True))
    scores = {
        "cosine": product / math.hypot(*query) / math.hypot(*text),
        "inner_product": product,
        "l2": -math.dist(query, text),
    }
    for distance, score in scores.items():
        index = make_index(distance_type=distance, ann_index_config={"vector_type": vector_type})
        store = make_store(index=index, root=distance)
        await _put_texts(store, "red red apple")
        (item,) = await store.asearch((), query="red tea")

        assert item.score == pytest.approx(score, abs=1e-3)


async def test_an_item_scores_by_the_nearest_of_its_texts(
    make_store: Callable[..., BaseStore],
) -> None:
    store = make_store(index=make_index(fields=["title", "parts[*].text", "missing"]))
    await store.aput(("m",), "a", {"title": "apple", "parts": [{"text": "tea"}, {"text": "bus"}]})
    await store.aput(("m",), "b", {"title": "apple tea", "parts": [], "other": "bus"})
    items = await store.asearch(("m",), query="vehicle")

    assert [item.key for item in items] == ["a", "b"]
    assert [item.score for item in items] == [1, 0]
    assert await _list_keys(store, "tea") == "ab"


async def test_paths_of_a_put_count_instead_of_those_of_the_store(meanings: BaseStore) -> None:
    value = {"text": "tea", "title": "bus", "list": ["apple"]}
    await meanings.aput(("m",), "a", value, index=["title"])
    await meanings.aput(("m",), "b", value, index=["list[0]"])
    await meanings.aput(("m",), "c", value, index=["$"])
    await meanings.aput(("m",), "d", value)

    for query, key in {"bus": "a", "apple": "b", "tea bus apple": "c", "tea": "d"}.items():
        assert await _list_keys(meanings, query, limit=1) == key


async def test_only_items_with_vectors_are_found_by_queries(
    make_store: Callable[..., BaseStore], store: BaseStore
) -> None:
    meanings = make_store(index=make_index())
    await store.aput(("m",), "before", {"text": "tea"})
    await meanings.aput(("m",), "hidden", {"text": "tea"}, index=False)
    await meanings.aput(("m",), "none", {"other": "tea"})
    await meanings.aput(("m",), "other", {"text": "car"})

    assert await _list_keys(meanings, "tea") == "other"
    for query in (None, "", " "):
        items = await meanings.asearch(("m",), query=query)
        assert [item.key for item in items] == ["other", "none", "hidden", "before"]
        assert {item.score for item in items} == {None}


async def test_a_put_replaces_vectors_and_one_without_embedding_leaves_them(
    make_store: Callable[..., BaseStore], store: BaseStore
) -> None:
    meanings = make_store(index=make_index())

    async def find_scores() -> list[float | None]:
        queries = ("tea", "bus")
        return [(await meanings.asearch(("m",), query=query))[0].score for query in queries]

    await meanings.aput(("m",), "a", {"text": "tea"})
    assert await find_scores() == [1, 0]
    await meanings.aput(("m",), "a", {"text": "bus"})
    assert await find_scores() == [0, 1]
    await meanings.aput(("m",), "a", {"text": "tea", "seen": 1}, index=False)
    await store.aput(("m",), "a", {"text": "tea", "seen": 2})
    assert await find_scores() == [0, 1]
    await meanings.aput(("m",), "a", {"title": "tea"})
    assert await _list_keys(meanings, "tea") == ""


async def test_filters_and_pages_hold_for_queries(meanings: BaseStore) -> None:
    await _put_texts(meanings, "tea", "tea bus", "tea tea bus", "bus", "tea tea tea bus", "tea")
    await meanings.aput(("n",), "other", {"text": "tea", "n": 0})
    pages = [await _list_keys(meanings, "tea", limit=2, offset=offset) for offset in range(0, 8, 2)]

    assert pages == ["50", "42", "13", ""]
    assert await _list_keys(meanings, "tea", filter={"n": {"$gt": 0}}, limit=2) == "54"
    assert await _list_keys(meanings, "tea", filter={"n": 3}) == "3"
    assert await _list_keys(meanings, "tea", limit=0) == ""


async def test_a_query_looks_at_more_items_than_a_page_has(
    meanings: BaseStore, alice: Person
) -> None:
    await meanings.aput(("m",), "tea", {"text": "tea"})
    await meanings.aput(("m",), "bus", {"text": "bus"})
    bus = alice.get("/api/memories").json()[0]
    own = bus["metadata"]["langgraph"]
    copies = [{"langgraph": own | {"key": f"bus {number}"}} for number in range(300)]
    alice.save_many([bus | {"id": None, "metadata": metadata} for metadata in copies])
    items = await meanings.asearch(("m",), query="coffee", limit=500)

    assert items[0].key == "tea"
    assert [item.score for item in items] == [1, *[0] * 301]


async def test_a_query_puts_off_the_expiry_of_what_it_finds(
    make_store: Callable[..., BaseStore], alice: Person
) -> None:
    meanings = make_store(index=make_index())
    await meanings.aput(("m",), "a", {"text": "tea"}, ttl=60)
    (row,) = alice.get("/api/memories").json()
    alice.patch(f"/api/memories/{row['id']}", json={"expires_at": row["expires_at"] - 10**6})
    await meanings.asearch(("m",), query="coffee")

    (refreshed,) = alice.get("/api/memories").json()
    assert refreshed["expires_at"] >= row["expires_at"]
    assert refreshed["metadata"] == row["metadata"]


async def test_vectors_go_along_with_an_export(
    make_store: Callable[..., BaseStore], alice: Person, bob: Person
) -> None:
    store = make_store(index=make_index())
    await _put_texts(store, "crimson tea", "bus", "green tea")
    payload = alice.export(format="ndjson")["payload"]
    bob.import_file(payload, format="memferry")
    with Client(str(bob.base_url), bob.token) as client:
        items = MemferryStore(client, index=make_index()).search((), query="red drink")

    assert [(item.key, item.score) for item in items] == [
        (item.key, item.score) for item in await store.asearch((), query="red drink")
    ]
    assert len(items) == 3


async def test_a_store_in_memory_finds_the_same_by_cosine(
    make_store: Callable[..., BaseStore], seed: int
) -> None:
    chance = random.Random(seed)
    words = ["tea", "coffee", "apple", "car", "bus", "red", "green", "stone", "wood"]
    fields = ["text", "parts[*]"]
    ours = make_store(index=make_index(fields=fields))
    theirs = InMemoryStore(index=make_index(fields=fields))
    puts = [
        PutOp(
            ("m", chance.choice("xy")),
            str(number),
            {
                "text": " ".join(chance.choices(words, k=3)),
                "parts": chance.sample(words, k=2),
                "n": chance.randrange(3),
            },
        )
        for number in range(30)
    ]
    searches = [
        SearchOp(
            chance.choice([("m",), ("m", "x"), ()]),
            chance.choice([None, {"n": 1}, {"n": {"$gte": 1}}]),
            100,
            query=" ".join(chance.choices(words, k=2)),
        )
        for _ in range(20)
    ]
    await ours.abatch(puts)
    for put in puts:
        await theirs.abatch([put])

    def list_scores(results: list[Any]) -> list[dict[str, Any]]:
        return [{i.key: pytest.approx(i.score, abs=1e-6) for i in result} for result in results]

    assert list_scores(await ours.abatch(searches)) == list_scores(await theirs.abatch(searches))
