"""The published mnueron client, unchanged, through every method; sync and async."""

import pytest
from mnueron import AsyncMnueron, Mnueron, MnueronError

from support.people import Person
from support.service import Service


def test_the_sync_client_works_through_every_method(alice: Person, service: Service) -> None:
    with Mnueron(api_key=alice.token, base_url=service.url) as client:
        assert client.health()
        saved = client.save("green tea", namespace="n", tags=["a"], metadata={"x": 1, "y": 2})
        assert client.get(saved.id) == saved
        assert [hit.id for hit in client.search("tea", namespace="n", k=3)] == [saved.id]
        assert client.search("tea", metadata_filter={"x": 2}) == []
        (result,) = client.bulk_search(["tea"], metadata_filter={"x": 1})
        assert (result.hits[0].score or 0) > 0
        assert [row.id for row in client.list(created_after=saved.created_at)] == [saved.id]
        changed = client.update(saved.id, tags=["b"], metadata={"y": None})
        assert (changed.tags, changed.metadata) == (["b"], {"x": 1})
        assert [(each.name, each.count) for each in client.namespaces()] == [("n", 1)]
        client.delete(saved.id)
        assert client.get(saved.id) is None
        hook = client.create_webhook("http://127.0.0.1:9/", events=["memory.saved"])
        client.update_webhook(hook.id, enabled=False, description="off")
        (listed,) = client.list_webhooks()
        assert (listed.enabled, listed.description, listed.secret) == (False, "off", None)
        client.delete_webhook(hook.id)
        assert client.get_webhook(hook.id) is None


async def test_the_async_client_works_through_every_method(alice: Person, service: Service) -> None:
    async with AsyncMnueron(api_key=alice.token, base_url=service.url) as client:
        assert await client.health()
        saved = await client.save("green tea", namespace="n", metadata={"x": 1})
        assert await client.get(saved.id) == saved
        assert [hit.id for hit in await client.search("tea")] == [saved.id]
        assert len((await client.bulk_search(["tea", "milk"]))[0].hits) == 1
        assert [row.id for row in await client.list(limit=1)] == [saved.id]
        assert (await client.update(saved.id, content="black tea")).content == "black tea"
        assert len(await client.namespaces()) == 1
        await client.delete(saved.id)
        hook = await client.create_webhook("http://127.0.0.1:9/")
        await client.update_webhook(hook.id, events=["export.completed"])
        changed = await client.get_webhook(hook.id)
        assert changed is not None
        assert changed.events == ["export.completed"]
        assert len(await client.list_webhooks()) == 1
        await client.delete_webhook(hook.id)


def test_the_published_client_shows_the_error(
    charlie: Person, alice: Person, service: Service
) -> None:
    stranger = Mnueron(api_key=charlie.token, base_url=service.url)
    known = Mnueron(api_key=alice.token, base_url=service.url)

    with stranger, pytest.raises(MnueronError, match="401"):
        stranger.list()
    with known, pytest.raises(MnueronError, match="content: must not be empty"):
        known.save("")
