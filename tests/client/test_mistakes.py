"""What a program hands over by mistake is refused by name, and never saved as something else."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from memferry.client import Client
from memferry.errors import Invalid
from support.people import Person

_BYTES: Any = b"tea"
_NAN, _INFINITY = float("nan"), float("inf")
_MISTAKES: dict[str, Callable[[Client], Any]] = {
    "content: expected str, got bytes": lambda client: client.memories.save(_BYTES),
    "metadata.a: nan is no": lambda client: client.memories.save("x", metadata={"a": _NAN}),
    "metadata.a[1].b: inf is no": lambda client: client.memories.save(
        "x", metadata={"a": [0, {"b": _INFINITY}]}
    ),
    "metadata.a: NaN is no": lambda client: client.memories.save(
        "x", metadata={"a": Decimal("NaN")}
    ),
    "items[0].metadata.a: nan": lambda client: client.memories.save_many(
        [{"content": "x", "metadata": {"a": _NAN}}]
    ),
    "metadata_filter.a: nan": lambda client: client.memories.count(metadata_filter={"a": _NAN}),
    "tags: expected array, got str": lambda client: client.memories.save("x", tags="abc"),
    "queries: expected array, got str": lambda client: client.memories.search_many("tea"),
    "ids: expected array, got str": lambda client: client.memories.delete_many("abc"),
    "events: expected array, got str": lambda client: client.webhooks.create(
        "https://example.com/x", events="memory.saved"
    ),
    "limit: expected 0 or more, got -1": lambda client: list(client.memories.list(limit=-1)),
}


@pytest.fixture
def client(alice: Person) -> Iterator[Client]:
    with Client(str(alice.base_url), alice.token) as client:
        yield client


@pytest.mark.parametrize("reason", _MISTAKES)
def test_a_mistake_is_refused_by_name_and_nothing_is_saved(client: Client, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        _MISTAKES[reason](client)

    assert str(refused.value).startswith(reason)
    assert client.memories.count() == 0
