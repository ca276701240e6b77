"""Home, threads and the shared parts of screens in a browser."""

import re
from typing import Any

from playwright.async_api import Browser, expect

from support.people import Person
from support.screens import Reader, follow, open_reader

DAY_MS = 24 * 3600 * 1000


def save_over_time(person: Person) -> None:
    person.save_many(
        [
            {"content": f"{number}", "namespace": f"space {number % 9}",
             "created_at": 1_700_000_000_000 + number * DAY_MS}
            for number in range(90)
        ]
    )  # fmt: skip


async def test_an_empty_home_teaches_the_first_step(reader: Reader) -> None:
    page = await reader.open("/")
    await expect(page.locator("main")).to_contain_text("curl")
    await expect(page.locator("main")).to_contain_text("No memories yet")


async def test_numbers_on_screen_are_those_of_the_api(reader: Reader, alice: Person) -> None:
    save_over_time(alice)
    page = await reader.open("/")
    overview = alice.get("/api/overview").json()
    values = await page.locator(".chart td.number data").evaluate_all(
        "all => all.map((each) => Number(each.value))"
    )
    await page.get_by_text("The numbers", exact=True).click()
    cells = await page.locator("details td data").evaluate_all(
        "all => all.map((each) => Number(each.value))"
    )

    assert (overview["memories"], overview["namespaces"]) == (90, 9)
    assert overview["counts_exact"] is True
    assert values == [row["count"] for row in overview["series"]]
    assert sum(values) == sum(cells) == 90
    assert await page.locator(".chart th a").count() == 6


async def test_everything_is_exported_by_one_button(reader: Reader, alice: Person) -> None:
    alice.save("one")
    page = await reader.open("/")
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name="Export everything").click()
    await reader.open("/")
    await expect(page.locator(".jobs .state")).to_contain_text("Ready: 1 memory")
    (export,) = alice.get("/api/memories/exports").json()["exports"]
    download = await waiting.value

    assert download.suggested_filename == f"memferry-{export['id']}.json"
    assert (await download.path()).read_bytes().startswith(b'[{"id":')


async def test_a_queued_export_is_watched_until_its_file_is_there(
    reader: Reader, alice: Person
) -> None:
    alice.save_many([{"content": f"number {number}"} for number in range(10_001)])
    page = await reader.open("/")
    await page.get_by_role("button", name="Export everything").click()
    await expect(page.locator(".state")).to_contain_text("completed", timeout=30_000)
    await expect(page.get_by_text("Of the file, packed")).to_have_count(0)
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="Download").click()
    (export,) = alice.get("/api/memories/exports").json()["exports"]

    assert (await (await waiting.value).path()).stat().st_size == export["file_bytes"]


async def test_live_parts_leave_the_focus_where_it_is(reader: Reader, alice: Person) -> None:
    alice.export()
    page = await reader.open("/")
    await page.get_by_role("link", name="Download").focus()
    alice.export()
    await expect(page.locator(".jobs > li")).to_have_count(2, timeout=20_000)

    assert await page.evaluate("document.activeElement.textContent") == "Download"


async def test_times_and_numbers_are_in_the_language_of_the_browser(
    browser: Browser, alice: Person
) -> None:
    alice.save_many([{"content": f"{number}", "created_at": 0} for number in range(1_234)])
    shown, sizes = [], []
    for locale in ("de-DE", "en-US"):
        async with open_reader(browser, alice, locale=locale) as reader:
            page = await reader.open("/")
            shown.append(await page.locator(".counts dd").all_inner_texts())
            await reader.open("/exports/new")
            sizes.append(await page.locator("#outlook .size").inner_text())

    assert [texts[0] for texts in shown] == ["1.234", "1,234"]
    assert [re.sub("[0-9]+", "0", size) for size in sizes] == ["0,0 KiB", "0.0 KiB"]
    assert shown[0][2].startswith("01.01.1970")
    assert shown[1][2].startswith("Jan 1, 1970")


async def test_without_scripts_times_are_those_of_utc(browser_off: Reader, alice: Person) -> None:
    alice.save_many([{"content": "x", "created_at": 0}])
    page = await browser_off.open("/")

    assert await page.locator(".counts time").inner_text() == "1970-01-01 00:00 UTC"


async def test_the_head_takes_one_line_at_a_desk_and_two_on_a_phone(reader: Reader) -> None:
    page, heights = await reader.open("/memories"), []
    for width in (1280, 1024, 390):
        await page.set_viewport_size({"width": width, "height": 800})
        box = await page.get_by_role("banner").bounding_box()
        assert box is not None
        heights.append(round(box["height"] / 40))

    assert heights == [1, 1, 2]


async def test_the_theme_changes_in_place_and_is_kept(reader: Reader) -> None:
    page = await reader.open("/memories/new")
    await page.get_by_label("Content").fill("typed for long")
    await page.get_by_role("button", name="Dark").click()
    await expect(page.get_by_role("button", name="Light")).to_be_focused()
    typed = await page.get_by_label("Content").input_value()
    dark = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    await page.reload()
    kept = await page.locator("html").get_attribute("data-theme")
    await page.get_by_role("button", name="Light").click()
    await expect(page.get_by_role("button", name="Dark")).to_be_focused()
    light = await page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert (typed, kept) == ("typed for long", "dark")
    assert dark != light


async def test_without_scripts_the_theme_is_chosen_by_a_form(browser_off: Reader) -> None:
    page = await browser_off.open("/threads")
    await follow(page.get_by_role("button", name="Dark"))
    await expect(page).to_have_url(re.compile("/threads$"))

    assert await page.locator("html").get_attribute("data-theme") == "dark"


async def test_a_thread_is_read_in_its_order_with_its_speakers(
    reader: Reader, alice: Person
) -> None:
    parent = "chat:1/2 \u00e9?&#"
    for index, (speaker, text) in enumerate([("user", "Hello"), ("assistant", "Good day")]):
        more: dict[str, Any] = {"parent_ref": parent, "chunk_index": index, "role": speaker}
        alice.save(text, metadata=more)
    page = await reader.open("/threads")
    await follow(page.get_by_role("link", name="Hello"))
    chunks = await page.locator(".conversation li").all_inner_texts()

    assert await page.locator("h1").inner_text() == parent
    assert [chunk.split()[0] for chunk in chunks] == ["user", "assistant"]
    assert chunks[1].endswith("Good day")
