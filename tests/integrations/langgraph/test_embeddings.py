"""Who embeds, how often, and what is refused before anything is saved."""

import base64
import struct
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from langgraph.store.base import BaseStore, PutOp, SearchOp

from memferry.client import Client
from memferry.errors import Invalid
from memferry.integrations.langgraph import MemferryStore
from support.embeddings import DIMS, MeaningEmbeddings, embed_text, make_index
from support.people import Person


async def test_a_batch_is_embedded_at_once_and_each_text_one_time(
    make_store: Callable[..., BaseStore],
) -> None:
    embeddings = MeaningEmbeddings()
    store = make_store(index=make_index(embeddings))
    texts = ["tea", "bus", "tea"]
    puts = [PutOp(("m",), str(number), {"text": text}) for number, text in enumerate(texts)]
    superseded = PutOp(("m",), "0", {"text": "pear"})
    await store.abatch([superseded, *puts, PutOp(("m",), "x", {"text": "car"}, index=False)])
    searches = [SearchOp(("m",), query=query) for query in ("red", "car", "red", "", None)]
    results = await store.abatch(searches)

    assert embeddings.batches == [["tea", "bus"]]
    assert embeddings.queries == ["red", "car"]
    assert results[0] == results[2]
    assert [len(result) for result in results if isinstance(result, list)] == [3, 3, 3, 4, 4]


async def test_functions_embed(make_store: Callable[..., BaseStore]) -> None:
    def embed(texts: Sequence[str]) -> list[list[float]]:
        return list(map(embed_text, texts))

    async def aembed(texts: Sequence[str]) -> list[list[float]]:
        return embed(texts)

    for function in (embed, aembed):
        store = make_store(index=make_index(function), root=function.__name__)
        await store.abatch([PutOp(("m",), key, {"text": key}) for key in ("tea", "bus")])

        items = await store.asearch(("m",), query="coffee", limit=1)
        assert [item.key for item in items] == ["tea"]


def test_a_function_that_is_awaited_serves_no_store_that_waits(alice: Person) -> None:
    async def aembed(texts: Sequence[str]) -> list[list[float]]:
        return list(map(embed_text, texts))

    with Client(str(alice.base_url), alice.token) as client:
        store = MemferryStore(client, index=make_index(aembed))
        with pytest.raises(ValueError, match="async"):
            store.put(("m",), "k", {"text": "tea"})


_NO_EMBEDDINGS: list[tuple[Any, str]] = [
    ([[1.0] * (DIMS + 1)], f"expected embeddings of {DIMS} dimensions, got {DIMS + 1}"),
    ([[float("nan")] * DIMS], "NaN"),
    ([[float("inf")] * DIMS], "infinity"),
    ([[1e300] * DIMS], "no vector"),
    ([["1"] * DIMS], "no vector"),
    ([], "0 vectors for 1 texts"),
    ([[1.0] * DIMS] * 2, "2 vectors for 1 texts"),
]


async def test_what_is_no_embedding_is_refused_and_nothing_saved(
    make_store: Callable[..., BaseStore], alice: Person
) -> None:
    for vectors, fault in _NO_EMBEDDINGS:
        store = make_store(index=make_index(lambda _texts, vectors=vectors: vectors))
        with pytest.raises(Invalid, match=rf"^index: .*{fault}"):
            await store.aput(("m",), "k", {"text": "tea"})

    assert alice.get("/api/memories").json() == []


async def test_more_vectors_than_metadata_holds_are_refused(
    make_store: Callable[..., BaseStore], alice: Person
) -> None:
    settings = make_index(lambda texts: [[1.0] * 8000 for _ in texts], dims=8000, fields=["n[*]"])
    store = make_store(index=settings)
    await store.aput(("m",), "k", {"n": list(range(20))})
    with pytest.raises(Invalid, match=r"^index: 30 vectors"):
        await store.aput(("m",), "k", {"n": list(range(30))})

    (row,) = alice.get("/api/memories").json()
    assert len(row["metadata"]["langgraph"]["vectors"]) == 20


async def test_a_value_is_checked_before_its_texts_are_embedded(
    make_store: Callable[..., BaseStore],
) -> None:
    embeddings = MeaningEmbeddings()
    store = make_store(index=make_index(embeddings, fields=["$"]))
    values: list[Any] = [{"a": {1, 2}}, {1: "a", "b": 2}, {"a": float("nan")}]
    for value in values:
        with pytest.raises(Invalid, match=r"^value: "):
            await store.abatch([PutOp(("m",), "ok", {"a": "tea"}), PutOp(("m",), "k", value)])

    assert embeddings.batches == []
    assert await store.asearch(()) == []


async def test_a_fault_of_embeddings_comes_as_it_is(make_store: Callable[..., BaseStore]) -> None:
    def fail(_texts: Sequence[str]) -> list[list[float]]:
        raise ConnectionError("the model is away")

    store = make_store(index=make_index(fail))
    with pytest.raises(ConnectionError, match="away"):
        await store.aput(("m",), "k", {"text": "tea"})
    with pytest.raises(ConnectionError, match="away"):
        await store.asearch((), query="tea")


async def test_vectors_of_other_dimensions_or_edited_are_not_compared(
    make_store: Callable[..., BaseStore], alice: Person
) -> None:
    store = make_store(index=make_index(MeaningEmbeddings()))
    wide = make_store(index=make_index(lambda texts: [[1.0] * 99 for _ in texts], dims=99))
    await wide.aput(("m",), "wide", {"text": "tea"})
    nan = base64.b64encode(struct.pack(f"<{DIMS}f", *[float("nan")] * DIMS)).decode()
    for key, vectors in {"a": {"text": "%"}, "b": {"text": 1}, "c": [], "d": {"text": nan}}.items():
        own = {"namespace": {"0": "m"}, "key": key, "fields": {}, "vectors": vectors}
        alice.save("{}", namespace="langgraph.m", metadata={"langgraph": own})
    await store.aput(("m",), "k", {"text": "tea"})

    assert [item.key for item in await store.asearch((), query="tea")] == ["k"]
    assert [item.key for item in await wide.asearch((), query="tea")] == ["wide"]


_WRONG: list[dict[str, Any]] = [
    {"dims": 0},
    {"dims": None},
    {"embed": None},
    {"fields": 1},
    {"fields": [1]},
    {"distance_type": "hamming"},
    {"ann_index_config": {"vector_type": "bit"}},
]


def test_a_wrong_setting_of_vectors_is_refused() -> None:
    with Client() as client:
        for wrong in _WRONG:
            with pytest.raises(Invalid, match=r"^index: "):
                MemferryStore(client, index=make_index(MeaningEmbeddings(), **wrong))


def test_a_store_tells_its_settings_of_vectors() -> None:
    index = make_index(MeaningEmbeddings())
    with Client() as client:
        store = MemferryStore(client, index=index)

        assert store.index_config == index
        assert store.embeddings is index["embed"]
        assert MemferryStore(client).index_config is None
        assert MemferryStore(client).embeddings is None
