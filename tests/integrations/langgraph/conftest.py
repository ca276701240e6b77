"""The stores of alice, on either client."""

from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
from langgraph.store.base import BaseStore

from memferry.client import AsyncClient, Client
from memferry.integrations.langgraph import AsyncMemferryStore, MemferryStore
from support.people import Person


@pytest.fixture(params=["waiting", "awaited"])
async def make_store(
    request: pytest.FixtureRequest, alice: Person
) -> AsyncIterator[Callable[..., BaseStore]]:
    """Makes stores with options; the methods with an a before them are those of both clients."""
    url = str(alice.base_url)
    if request.param == "waiting":
        with Client(url, alice.token) as client:
            yield partial(MemferryStore, client)
    else:
        async with AsyncClient(url, alice.token) as async_client:
            yield partial(AsyncMemferryStore, async_client)


@pytest.fixture
async def store(make_store: Callable[..., BaseStore]) -> BaseStore:
    """A store without options, in the event loop of its client."""
    return make_store()
