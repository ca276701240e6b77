"""The retriever of LangChain, on either client."""

from typing import Any

import pytest

from memferry.client import AsyncClient, Client
from memferry.errors import Invalid
from memferry.integrations.langchain import MemferryRetriever
from support.people import Person


def test_documents_are_hits_of_a_search(alice: Person) -> None:
    row = alice.save("green tea", namespace="a", tags=["x"], metadata={"n": 1})
    alice.save("green tea", namespace="b")
    with Client(str(alice.base_url), alice.token) as client:
        (document,) = MemferryRetriever(client=client, filters={"namespace": "a"}).invoke("tea")

    assert (document.id, document.page_content) == (row["id"], "green tea")
    assert document.metadata.pop("score") > 0
    fields = ("namespace", "tags", "source", "source_ref", "metadata", "created_at", "updated_at")
    assert document.metadata == {name: row[name] for name in fields}


async def test_both_clients_are_awaited(alice: Person) -> None:
    for number in range(3):
        alice.save(f"tea {number}", namespace="a")
        alice.save(f"tea {number}", namespace="b")
    url = str(alice.base_url)
    filters = {"namespace": "a"}
    async with AsyncClient(url, alice.token) as client:
        retriever = MemferryRetriever(client=client, k=2, filters=filters)
        awaited = await retriever.ainvoke("tea")
        with pytest.raises(Invalid, match="ainvoke"):
            retriever.invoke("tea")
    with Client(url, alice.token) as waiting:
        retriever = MemferryRetriever(client=waiting, k=2, filters=filters)
        assert await retriever.ainvoke("tea") == awaited

    assert [document.metadata["namespace"] for document in awaited] == ["a", "a"]


async def test_a_call_takes_another_number_of_documents(alice: Person) -> None:
    for number in range(4):
        alice.save(f"tea {number}")
    url = str(alice.base_url)
    with Client(url, alice.token) as client:
        retriever = MemferryRetriever(client=client, k=2)
        counts = [len(retriever.invoke("tea", k=k)) for k in (1, 3)]
        counts.append(len(await retriever.ainvoke("tea", k=4)))
    async with AsyncClient(url, alice.token) as async_client:
        counts.append(len(await MemferryRetriever(client=async_client).ainvoke("tea", k=2)))

    assert counts == [1, 3, 4, 2]


def test_a_call_with_a_mistaken_argument_is_refused(alice: Person) -> None:
    with (
        Client(str(alice.base_url), alice.token) as client,
        pytest.raises(TypeError, match="limit"),
    ):
        MemferryRetriever(client=client).invoke("tea", limit=1)


def test_a_mistaken_argument_is_refused(alice: Person) -> None:
    mistaken: dict[str, Any] = {"filter": {"namespace": "a"}}
    with (
        Client(str(alice.base_url), alice.token) as client,
        pytest.raises(ValueError, match="filter"),
    ):
        MemferryRetriever(client=client, **mistaken)
