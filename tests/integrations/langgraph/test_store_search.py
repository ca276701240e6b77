"""Searches below a prefix: their filters, their pages, and queries by words."""

from typing import Any

import pytest
from langgraph.store.base import BaseStore

from memferry.errors import Invalid
from support.people import Person


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
