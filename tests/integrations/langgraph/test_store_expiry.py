"""The time to live of items: it ends them, reads put it off, and the service sweeps."""

import asyncio
from typing import Any

import pytest
from langgraph.store.base import BaseStore

from memferry.client import AsyncClient, Client
from memferry.errors import Invalid
from memferry.integrations.langgraph import AsyncMemferryStore, MemferryStore
from support.people import Person


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
        while await store.aget(("t",), "k", refresh_ttl=False):
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
