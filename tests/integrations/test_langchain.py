"""The retriever of LangChain, on either client."""

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
        alice.save(f"tea {number}")
    url = str(alice.base_url)
    async with AsyncClient(url, alice.token) as client:
        retriever = MemferryRetriever(client=client, k=2)
        awaited = await retriever.ainvoke("tea")
        with pytest.raises(Invalid, match="ainvoke"):
            retriever.invoke("tea")
    with Client(url, alice.token) as waiting:
        assert await MemferryRetriever(client=waiting, k=2).ainvoke("tea") == awaited

    assert len(awaited) == 2
