"""A service that goes away and comes back: the page says so, goes on, and loses nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from support.keyboard import press, read_focus, tab_to
from support.people import Person
from support.screens import Reader, follow, open_reader, sign_in
from support.service import Service, start_again, start_service, stop_service


async def test_a_form_waits_for_the_service_and_keeps_what_was_typed(
    reader: Reader, alice: Person
) -> None:
    row = alice.save("Prefers ferries")
    page = await reader.open(f"/memories/{row['id']}/edit")
    await page.get_by_label("Content").fill("typed for long")
    await reader.context.set_offline(True)
    await tab_to(page, "Save")
    await press(page, "Enter")
    await expect(page.locator("#banner")).to_contain_text("nothing was sent")
    await expect(page.locator("#announcement")).to_contain_text("nothing was sent")
    away = await read_focus(page)
    await reader.context.set_offline(False)
    await expect(page.locator("#banner")).to_contain_text("answers again")
    await press(page, "Enter")
    await expect(page.locator("pre.text").first).to_have_text("typed for long")

    assert away.name == "Save"


async def test_a_form_of_a_reader_who_was_signed_out_is_not_lost(
    reader: Reader, alice: Person
) -> None:
    row = alice.save("Prefers ferries")
    page = await reader.open(f"/memories/{row['id']}/edit")
    await page.get_by_label("Content").fill("typed for long")
    await reader.context.clear_cookies()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#banner")).to_contain_text("signed out")
    kept = await page.get_by_label("Content").input_value()
    async with reader.context.expect_page() as tabs:
        await page.get_by_role("link", name="Sign in in another tab").click()
    tab = await tabs.value
    await tab.get_by_label("Token", exact=True).fill(alice.token)
    await follow(tab.get_by_role("button", name="Sign in"))
    await follow(page.get_by_role("button", name="Save"))

    assert kept == "typed for long"
    assert alice.get(f"/api/memories/{row['id']}").json()["content"] == "typed for long"


async def test_a_form_is_not_sent_into_the_memories_of_another_tenant(
    reader: Reader, bob: Person
) -> None:
    page = await reader.open("/memories/new")
    await page.get_by_label("Content").fill("of alice")
    await reader.context.clear_cookies()
    await reader.context.add_cookies([sign_in(bob) | {"url": reader.url}])
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#banner")).to_contain_text("another tenant")

    assert await page.get_by_label("Content").input_value() == "of alice"
    assert bob.get("/api/memories").json() == []


async def test_a_search_goes_on_by_itself(reader: Reader, alice: Person) -> None:
    alice.save("only one")
    page = await reader.open("/memories")
    await reader.context.set_offline(True)
    await page.get_by_role("searchbox").fill("only")
    await expect(page.locator("#banner")).to_contain_text("does not answer")
    await reader.context.set_offline(False)
    await expect(page.locator("#banner")).to_contain_text("answers again")

    await expect(page.locator("#results .summary")).to_contain_text("1 memory found")


@pytest.fixture
def second_service(service: Service, home: Path, database_url: str) -> Iterator[Service]:
    """A service of its own over the same data, which a test may stop and start again."""
    second = start_service(
        home / "away",
        MEMFERRY_DATABASE_URL=database_url,
        MEMFERRY_STORAGE_URL=f"file://{service.store}",
    )
    yield second
    stop_service(second)


@pytest.mark.long
async def test_a_service_that_is_started_again_finds_its_readers_where_they_were(
    browser: Browser, alice: Person, second_service: Service
) -> None:
    row = alice.save("Prefers ferries")
    with Person("alice", second_service.url, alice.token) as person:
        async with open_reader(browser, person) as reader:
            live = await reader.open("/")
            search, form = [await reader.context.new_page() for _ in range(2)]
            await search.goto(f"{reader.url}/memories")
            await form.goto(f"{reader.url}/memories/{row['id']}/edit")
            await form.get_by_label("Content").fill("typed for long")
            assert stop_service(second_service) == 0
            await search.get_by_role("searchbox").fill("ferr")
            await form.get_by_role("button", name="Save").click()
            for page in (live, search, form):
                await expect(page.locator("#banner")).to_contain_text("not answer", timeout=20_000)
            again = start_again(second_service)
            for page in (live, search, form):
                await expect(page.locator("#banner")).to_be_hidden(timeout=30_000)
            await form.get_by_role("button", name="Save").click()
            await expect(form.locator("pre.text").first).to_have_text("typed for long")

            await expect(search.locator("#results mark")).to_have_text("ferries")
    assert stop_service(again) == 0
