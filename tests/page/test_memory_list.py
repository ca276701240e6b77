"""The list of memories in a browser: search as one types, filters, pages, many at once, by keys."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from support.people import Person
from support.screens import Reader, follow

HOSTILE = (
    "<script>document.title = 'run'</script>",
    '"><img src=x onerror="document.title=\'run\'">',
    "\u202egnihtyna</li></ol></main>",
    "{{ 7 * 7 }} {% raw %} &amp; &lt;",
    "\x01\x1b[31m line\r\nends\rhere\u2028\ufeff",
)


async def test_results_follow_what_is_typed_and_the_address_with_them(
    reader: Reader, alice: Person
) -> None:
    alice.save_many(
        [
            {"content": "Prefers ferries", "namespace": "travel"},
            {"content": "A ferryman of old", "namespace": "tales"},
            {"content": "Rows on Sundays", "namespace": "travel"},
        ]
    )
    page = await reader.open("/memories")
    await page.get_by_role("searchbox").press_sequentially("ferr")
    await expect(page.locator("#results .summary")).to_contain_text("2 memories found")
    marks = await page.locator("#results mark").all_text_contents()
    await page.get_by_label("Namespace").fill("tales")
    await expect(page.locator("#results .summary")).to_contain_text("1 memory found")

    assert sorted(marks) == ["ferries", "ferryman"]
    assert urlsplit(page.url).query == "q=ferr&namespace=tales"
    assert re.search(r"in\s+\d+\s+ms", await page.locator("#results .summary").inner_text())
    assert await page.evaluate("document.activeElement.id") == "namespace"


async def test_filters_work_without_scripts(browser_off: Reader, alice: Person) -> None:
    alice.save("kept", tags=["a", "b, c"], metadata={"kind": "plan"})
    alice.save("other", tags=["a"], metadata={"kind": "note"})
    page = await browser_off.open("/memories")
    await page.get_by_text("More filters").click()
    await page.get_by_label("Metadata contains").fill('{"kind": "plan"}')
    await follow(page.get_by_role("button", name="Search"))
    found = await page.locator("#results .content").all_text_contents()
    await follow(page.get_by_role("link", name="kept"))
    await follow(page.get_by_role("link", name="b, c"))

    assert found == ["kept"]
    assert await page.locator("#results .content").all_text_contents() == ["kept"]


async def test_a_filter_that_is_none_is_told_beside_the_form(reader: Reader, alice: Person) -> None:
    alice.save("one")
    page = await reader.open("/memories?metadata={")
    fault = page.locator("#results [role=alert]")
    await expect(fault).to_contain_text("Metadata contains")
    await page.get_by_label("Metadata contains").fill('{"a": 1}')
    await expect(page.locator("#results")).to_contain_text("Nothing found")

    await expect(fault).to_have_count(0)


async def test_a_namespace_and_a_tag_of_a_result_narrow_the_search(
    reader: Reader, alice: Person
) -> None:
    for namespace in ("sea", "land"):
        alice.save("ferry", namespace=namespace, tags=["a, b"])
    alice.save("ferry", namespace="sea")
    page = await reader.open("/memories?q=ferry")
    await follow(page.locator("#results").get_by_role("link", name="sea").first)
    narrowed = await page.locator("#results .summary").inner_text()
    await follow(page.locator("#results").get_by_role("link", name="a, b"))

    assert narrowed.split()[0] == "2"
    assert await page.get_by_label("Search memories").input_value() == "ferry"
    assert (await page.locator("#results .summary").inner_text()).split()[0] == "1"


async def test_pages_lead_to_every_memory_once(reader: Reader, alice: Person) -> None:
    alice.save_many([{"content": f"memory number {number}"} for number in range(120)])
    page = await reader.open("/memories")
    await expect(page.locator("#results .summary")).to_contain_text("120 memories")
    met: list[str] = []
    while True:
        met += await page.locator("#results .content").all_text_contents()
        following = page.get_by_role("link", name="Next page")
        if not await following.count():
            break
        await follow(following)

    assert sorted(met) == sorted(f"memory number {number}" for number in range(120))


async def test_selected_memories_are_deleted_once_that_is_confirmed(
    reader: Reader, alice: Person
) -> None:
    for word in ("one", "two", "three"):
        alice.save(word)
    page = await reader.open("/memories?namespace=default")
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expect(page.locator("[data-selected-count]")).to_have_text("2 selected")
    await page.get_by_role("button", name="Delete selected").click()
    kept = await page.get_by_role("link", name="Keep").get_attribute("href")
    await page.get_by_label("Also from stored exports").check()
    await page.get_by_role("button", name="Delete 2").click()
    await expect(page.locator(".done")).to_contain_text("Deleted 2")

    assert kept == "/memories?namespace=default"
    assert [row["content"] for row in alice.get("/api/memories").json()] == ["one"]


async def test_selected_memories_are_exported(reader: Reader, alice: Person) -> None:
    for word in ("one", "two", "three"):
        alice.save(word)
    page = await reader.open("/memories")
    await page.locator("#results li", has_text="two").get_by_role("checkbox").check()
    await page.get_by_role("button", name="Export selected").click()
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="Download").first.click()
    file = await (await waiting.value).path()
    (export,) = alice.get("/api/memories/exports").json()["exports"]
    payload = alice.get(f"/api/memories/exports/{export['id']}").json()["payload"]

    assert (export["row_count"], export["format"]) == (1, "json")
    assert file.read_bytes() == payload.encode()


async def test_without_scripts_what_is_selected_can_be_exported(
    browser_off: Reader, alice: Person
) -> None:
    alice.save("one")
    alice.save("two")
    page = await browser_off.open("/memories")
    button = page.get_by_role("button", name="Export selected")
    hidden = await button.count()
    await page.get_by_label("Select: two").check()
    await follow(button)
    (export,) = alice.get("/api/memories/exports").json()["exports"]

    assert (hidden, export["row_count"]) == (0, 1)


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_shown_as_text(reader: Reader, alice: Person, text: str) -> None:
    row = alice.save(
        text, namespace=text, tags=[text], source=text, source_ref=text, metadata={text: text}
    )
    page = await reader.open("/memories")
    listed = await page.locator("#results .content").text_content()
    for path in (f"/memories/{row['id']}", f"/memories/{row['id']}/edit", "/threads", "/"):
        await reader.open(path)
        assert await page.title() != "run"
    await reader.open(f"/memories/{row['id']}")
    shown = await page.locator("pre.text").first.text_content()

    assert shown == text
    assert (listed or "").replace("\n", "") == text.replace("\r\n", "\n").replace(
        "\r", "\n"
    ).replace("\n", "")
    assert await page.locator("script:not([src])").count() == 0


async def test_the_keys_lead_from_screen_to_screen(reader: Reader, alice: Person) -> None:
    row = alice.save("only one")
    page = await reader.open("/")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("m")
    await expect(page).to_have_url(re.compile("/memories$"))
    await page.keyboard.press("/")
    focused = await page.evaluate("document.activeElement.id")
    await page.keyboard.press("Escape")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(row["id"]))
    await page.keyboard.press("e")
    await expect(page).to_have_url(re.compile(f"{row['id']}/edit$"))

    assert focused == "q"
