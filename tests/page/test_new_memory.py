"""A new memory in a browser: saved as it was typed, or kept in its form."""

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from support.keyboard import press, read_focus, tab_to
from support.people import Person
from support.screens import Reader, open_reader
from support.tokens import create_holder

HOSTILE = "<b onclick=x>&amp; \u202e{{7*7}}"


async def test_a_memory_is_written_by_keyboard_alone(reader: Reader, alice: Person) -> None:
    page = await reader.open("/memories")
    await page.keyboard.press("n")
    await expect(page.get_by_label("Content")).to_be_focused()
    await page.keyboard.type(HOSTILE)
    await press(page, "Enter")
    await page.keyboard.type("second line")
    await press(page, "Tab")
    await page.keyboard.type("travel")
    await press(page, "Tab")
    await page.keyboard.type("one, and")
    await press(page, "Enter")
    await page.keyboard.type("two")
    await press(page, "Tab", "Tab")
    await page.keyboard.type('{"rate": 1.50}')
    await tab_to(page, "Save")
    await page.keyboard.press("Enter")
    await expect(page.locator(".done")).to_have_text("Saved.")
    (row,) = alice.get("/api/memories").json()

    assert (await read_focus(page)).name == "Saved."
    assert (row["content"], row["namespace"]) == (f"{HOSTILE}\nsecond line", "travel")
    assert (row["tags"], row["source"]) == (["one, and", "two"], "page")
    assert '"metadata":{"rate":1.50}' in alice.get(f"/api/memories/{row['id']}").text


async def test_what_was_typed_stays_beside_what_is_wrong(reader: Reader, alice: Person) -> None:
    page = await reader.open("/memories/new")
    await page.get_by_label("Content").fill("typed for long")
    await page.get_by_label("Metadata").fill('{"kind":}')
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text(re.compile("^Metadata: .* column 9$"))

    assert await page.get_by_label("Content").input_value() == "typed for long"
    assert alice.get("/api/memories").json() == []


@pytest.fixture
def worker(alice: Person, database_url: str) -> Iterator[Person]:
    """Alice, by a token of one namespace."""
    with create_holder(alice, database_url, namespaces=("work",)) as holder:
        yield holder


async def test_a_token_of_one_namespace_writes_into_no_other(
    browser: Browser, alice: Person, worker: Person
) -> None:
    async with open_reader(browser, worker) as reader:
        page = await reader.open("/memories/new")
        namespace = page.get_by_label("Namespace")
        shown = await namespace.input_value()
        await page.get_by_label("Content").fill("mine")
        await namespace.fill("private")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("alert")).to_have_text(
            "Namespace: the token is limited to other namespaces"
        )
        await namespace.fill(shown)
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("pre.text").first).to_have_text("mine")

    assert [row["namespace"] for row in alice.get("/api/memories").json()] == ["work"]
