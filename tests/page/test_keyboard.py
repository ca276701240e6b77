"""The page by keyboard alone: the focus is seen, is never lost, and goes on where one was."""

import re

import pytest
from playwright.async_api import Browser, expect

from support.keyboard import list_stops, press, read_focus, tab_to
from support.people import Person
from support.screens import DESKTOP, PHONE, Reader, open_reader
from support.service import Service, asleep

SCREENS = (
    "/",
    "/memories",
    "/memories/new",
    "/memories/{memory}",
    "/memories/{memory}/edit",
    "/threads",
    "/threads/trip",
    "/exports",
    "/exports/new",
    "/exports/{export}",
    "/imports",
    "/settings",
    "/settings/tokens",
    "/settings/webhooks",
    "/settings/audit",
    "/settings/keys",
    "/nowhere",
)


@pytest.mark.long
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_each_stop_of_tab_is_seen(
    browser: Browser, admin: Person, size: tuple[int, int]
) -> None:
    memory = admin.save("Prefers ferries", tags=["a"], source_ref="trip")["id"]
    export = admin.export()["id"]
    async with open_reader(browser, admin, size=size) as reader:
        for path in SCREENS:
            page = await reader.open(path.format(memory=memory, export=export))
            stops = await list_stops(page)

            assert [(path, stop) for stop in stops if not stop.is_seen] == []


async def test_the_first_stop_skips_to_the_content(reader: Reader) -> None:
    page = await reader.open("/")
    first = await press(page, "Tab")
    await press(page, "Enter")

    assert (first.name, first.is_seen) == ("Skip to content", True)
    await expect(page.locator("#main")).to_be_focused()


async def test_selected_memories_are_exported_and_deleted_by_keys(
    reader: Reader, alice: Person
) -> None:
    for word in ("one", "two", "three"):
        alice.save(word)
    page = await reader.open("/memories")
    hidden = await page.get_by_role("button", name="Delete selected").count()
    await press(page, "j", "x", "a")
    await expect(page.locator("[data-selected-count]")).to_have_text("3 selected")
    await press(page, "k", "x")
    await expect(page.locator("[data-selected-count]")).to_have_text("2 selected")
    mixed = await page.get_by_label("Select all").evaluate("box => box.indeterminate")
    await press(page, "d")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Delete 2 memories?")
    await tab_to(page, "Delete 2")
    await press(page, "Enter")
    await expect(page.locator(".done")).to_be_focused()

    assert (hidden, mixed) == (0, True)
    assert [row["content"] for row in alice.get("/api/memories").json()] == ["three"]


async def test_rows_without_links_are_walked_along(admin_reader: Reader, alice: Person) -> None:
    alice.export()
    page = await admin_reader.open("/settings/audit")
    first = await press(page, "j")
    second = await press(page, "j")
    third = await press(page, "k")

    assert first.is_seen
    assert second.is_seen
    assert (first.name != second.name, first.name == third.name) == (True, True)


async def test_escape_leaves_a_field_and_keeps_what_was_typed(
    reader: Reader, alice: Person
) -> None:
    row = alice.save("Prefers ferries")
    page = await reader.open("/memories")
    await press(page, "/")
    await page.keyboard.type("ferr")
    await expect(page.locator("#results mark")).to_have_count(1)
    first = await press(page, "Escape")
    typed = await page.get_by_role("searchbox").input_value()
    await reader.open(f"/memories/{row['id']}/edit")
    await tab_to(page, "Tags")
    label = await press(page, "Escape")

    assert (first.path, typed) == (f"a#open-{row['id']}", "ferr")
    assert (label.path.partition("#")[0], label.is_seen) == ("label", True)


async def test_a_fault_has_the_focus_and_leads_to_its_field(reader: Reader, alice: Person) -> None:
    row = alice.save("Prefers ferries")
    page = await reader.open(f"/memories/{row['id']}/edit")
    await tab_to(page, "Metadata")
    await page.keyboard.type("{")
    await tab_to(page, "Save")
    await press(page, "Enter")
    fault = page.get_by_role("alert")
    await expect(fault).to_be_focused()
    field = await press(page, "Tab", "Enter")

    assert re.match("Metadata: is no JSON object", await fault.inner_text())
    assert field.path == "textarea#metadata"
    assert await page.locator("#metadata").get_attribute("aria-invalid") == "true"
    assert await page.get_by_label("Metadata").input_value() == "{"


async def test_a_part_that_is_replaced_keeps_the_focus_on_its_button(
    reader: Reader, alice: Person
) -> None:
    alice.save("one")
    page = await reader.open("/exports/new")
    await page.locator("#make").focus()
    alice.save("two")
    await page.locator("#tags").evaluate(
        "field => field.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    await expect(page.locator("#make")).to_have_text("Export 2 memories")
    kept = await read_focus(page)
    await page.locator("#metadata_filter").evaluate("field => field.value = '{'")
    await page.locator("#tags").evaluate(
        "field => field.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    await expect(page.locator("#make")).to_be_disabled()

    assert kept.path == "button#make"
    assert (await read_focus(page)).path == "div#outlook"


async def test_an_export_that_ends_does_not_take_the_focus_away(
    reader: Reader, alice: Person, service: Service
) -> None:
    alice.save_many([{"content": f"{number}"} for number in range(10_001)])
    page = await reader.open("/")
    with asleep(service):
        await tab_to(page, "Export everything")
        await press(page, "Enter")
        await expect(page.get_by_role("heading", level=1)).to_be_focused()
        await tab_to(page, "Cancel the export")
    await expect(page.locator(".state")).to_contain_text("completed", timeout=30_000)
    await expect(page.locator("#announcement")).to_have_text("completed")

    assert (await read_focus(page)).path != "body"
    await tab_to(page, "Download")


async def test_the_dialog_of_keys_holds_the_focus_and_gives_it_back(reader: Reader) -> None:
    page = await reader.open("/")
    await tab_to(page, "Export everything")
    inside = await press(page, "?")
    await press(page, "g", "m")
    still = await page.get_by_role("dialog").is_visible()
    back = await press(page, "Escape")

    assert inside.is_seen
    assert (still, back.name) == (True, "Export everything")


async def test_single_keys_can_be_turned_off(reader: Reader) -> None:
    page = await reader.open("/")
    await press(page, "?")
    await tab_to(page, "These keys are on")
    await press(page, "Space", "Escape", "g", "m", "?")
    closed = await page.get_by_role("dialog").count()
    await page.reload()
    await tab_to(page, "Keys")
    await press(page, "Enter")

    assert (closed, page.url) == (0, f"{reader.url}/")
    assert not await page.get_by_label("These keys are on").is_checked()


async def test_what_a_search_finds_is_announced(reader: Reader, alice: Person) -> None:
    alice.save("Prefers ferries")
    page = await reader.open("/memories")
    await press(page, "/")
    await page.keyboard.type("ferr")
    await expect(page.locator("#announcement")).to_have_text("1 memory found")
    await page.keyboard.type("x")
    await expect(page.locator("#announcement")).to_have_text("0 memories found")


async def test_another_page_of_a_list_has_the_focus(reader: Reader, alice: Person) -> None:
    alice.save_many([{"content": f"memory number {number}"} for number in range(60)])
    page = await reader.open("/memories")
    await page.get_by_role("link", name="Next page").focus()
    await press(page, "Enter")
    await expect(page.locator("#results .content")).to_have_count(10)

    assert (await read_focus(page)).path == "div#results"
