"""Exports in a browser: build one with an outlook, watch it, get its bytes, make it again."""

import hashlib
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from support.people import Person
from support.screens import DESKTOP, PHONE, Reader, find_form_token, follow, open_reader, sign_in
from support.service import NO_TLS, Service, asleep
from support.tokens import create_holder

HOSTILE = "<script>document.title='x'</script>\u202e'\"&amp;{{7*7}}"


async def open_builder(reader: Reader, query: str = "") -> Page:
    page = await reader.open(f"/exports/new{query}")
    await expect(page.get_by_role("button", name="Export ")).to_be_visible()
    return page


async def test_an_export_is_built_by_keyboard_alone_and_comes_at_once(
    reader: Reader, alice: Person, tmp_path: Path
) -> None:
    alice.save_many([{"content": f"row {number}", "namespace": "a"} for number in range(3)])
    alice.save("other", namespace="b")
    page = await reader.open("/")
    await page.keyboard.press("g")
    await page.keyboard.press("e")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Exports")
    await page.keyboard.press("n")
    await page.get_by_label("json one array").focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await page.keyboard.type("a")
    button = page.get_by_role("button", name="Export 3 memories")
    await expect(button).to_be_visible()
    async with page.expect_download() as downloads:
        await button.focus()
        await page.keyboard.press("Enter")
    download = await downloads.value
    await download.save_as(tmp_path / "file")
    await expect(page.get_by_role("status").first).to_contain_text("Its download has begun")
    export = alice.get("/api/memories/exports").json()["exports"][0]
    content = (tmp_path / "file").read_bytes()
    assert await page.get_by_text("Who downloaded it").count() == 0

    assert download.suggested_filename == f"memferry-{export['id']}.ndjson"
    assert hashlib.sha256(content).hexdigest() == export["sha256"]
    assert await page.locator("#sha256").inner_text() == export["sha256"]
    assert "ready" not in page.url


async def test_the_outlook_follows_the_form_and_tells_what_is_wrong(
    reader: Reader, alice: Person
) -> None:
    alice.save(HOSTILE, namespace=HOSTILE, metadata={"n": 1})
    alice.save("two", namespace="plain")
    page = await open_builder(reader)
    numbers = page.locator("#outlook .numbers")
    await expect(numbers).to_contain_text("2 memories")
    await page.get_by_label("Namespace", exact=True).fill(HOSTILE)
    await expect(numbers).to_contain_text("1 memory")
    preview = await page.locator(".preview").inner_text()
    await page.get_by_label("Metadata contains").fill('{"n"')
    await expect(page.get_by_role("alert")).to_contain_text("is no JSON object")
    await expect(page.get_by_role("button", name="Export")).to_be_disabled()
    await page.get_by_label("Metadata contains").fill('{"n": 1.0}')
    await expect(numbers).to_contain_text("1 memory")
    await page.get_by_label("csv a table").check()
    await expect(page.locator(".preview")).to_contain_text("id,content,namespace")
    curl = await page.locator("#curl").inner_text()

    assert HOSTILE.replace('"', '\\"') in preview
    assert '"n": 1.0' in curl
    assert "mnu_" not in await page.content()
    assert await page.title() == "New export · memferry"


async def test_a_form_without_scripts_makes_the_same(browser_off: Reader, alice: Person) -> None:
    alice.save("one", tags=["a", "b, c"])
    alice.save("two")
    page = await browser_off.open('/exports/new?tags=["b, c"]&format=markdown')
    await follow(page.get_by_role("button", name="Estimate and preview"))
    outlook = await page.locator("#outlook").inner_text()
    await page.get_by_label("Created from").fill("yesterday")
    await page.get_by_role("button", name="Export 1").click()
    fault = await page.get_by_role("alert").inner_text()

    assert "1 memory" in outlook
    assert "Created from: expected a day" in fault
    assert await page.get_by_label("Tags", exact=True).input_value() == '["b, c"]'
    assert alice.get("/api/memories/exports").json()["exports"] == []


async def test_a_queued_export_is_watched_cancelled_and_made_again(
    reader: Reader, alice: Person, service: Service
) -> None:
    alice.save_many([{"content": f"{number}"} for number in range(10_001)])
    page = await open_builder(reader, "?format=ndjson&compression=gzip")
    await expect(page.locator("#outlook")).to_contain_text("is queued")
    with asleep(service):
        await page.get_by_role("button", name="Export 10,001 memories").click()
        await expect(page.locator(".state")).to_contain_text("waiting")
        await page.get_by_role("button", name="Cancel the export").click()
        await expect(page.locator(".state")).to_contain_text("cancelled")
    await page.get_by_role("button", name="Make it again").click()
    await expect(page.locator(".state")).to_contain_text("completed", timeout=30_000)
    async with page.expect_download() as downloads:
        await page.get_by_role("link", name="Download").click()
    name = (await downloads.value).suggested_filename
    first, second = alice.get("/api/memories/exports").json()["exports"]

    assert (first["status"], second["status"]) == ("completed", "cancelled")
    assert name == f"memferry-{first['id']}.ndjson.gz"


async def test_the_list_says_who_made_an_export_and_who_downloaded_it(
    admin_reader: Reader, alice: Person
) -> None:
    alice.save("one", namespace=HOSTILE)
    export = alice.export(format="csv", namespace=HOSTILE)
    page = await admin_reader.open("/exports")
    row = await page.locator("tbody tr").inner_text()
    async with page.expect_download():
        await page.get_by_role("link", name="csv").click()
        await page.get_by_role("link", name="Download").click()
    await admin_reader.open(f"/exports/{export['id']}")
    readers = page.get_by_role("region", name="Who downloaded it")
    await expect(readers).to_contain_text("test (yours)")
    await page.get_by_label("Yes, delete this export").check()
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("status").first).to_contain_text("was deleted")

    assert "by alice" in row
    assert HOSTILE in row
    assert alice.get(f"/api/memories/exports/{export['id']}").status_code == 404


async def test_what_was_asked_for_is_told_in_words(reader: Reader, alice: Person) -> None:
    export = alice.export(tags=["a", HOSTILE], created_after=0, format="csv", csv_safe=True)
    page = await reader.open(f"/exports/{export['id']}")
    request = page.get_by_role("region", name="What was asked for")
    fields = await request.locator("dt").all_inner_texts()
    values = await request.locator("dd").all_inner_texts()
    told = dict(zip(fields, values, strict=True))

    assert told["Tags"] == f"a, {HOSTILE}"
    assert told["Created from"].startswith("1 Jan 1970")
    assert (told["Guarded cells"], told["By"]) == ("yes", "your token")


def test_a_token_without_a_scope_sees_no_exports(alice: Person, database_url: str) -> None:
    with create_holder(alice, database_url, scopes=("memories:read",)) as holder:
        cookie = sign_in(holder)
    with httpx.Client(base_url=alice.base_url, verify=NO_TLS) as browser:
        browser.cookies.set(cookie["name"], cookie["value"])
        html = {"Accept": "text/html"}
        home = browser.get("/", headers=html).text
        pages = [browser.get(path, headers=html) for path in ("/exports", "/exports/new")]
        form = {"form_token": find_form_token(home), "format": "json"}
        sent = browser.post("/exports", data=form)

    assert 'href="/exports"' not in home
    assert [page.status_code for page in (*pages, sent)] == [403, 403, 403]
    assert "exports:create" in sent.text


@pytest.mark.parametrize("data", [{}, {"form_token": "0" * 64}], ids=["none", "another"])
def test_forms_of_exports_need_the_token_of_the_sign_in(
    alice: Person, data: dict[str, str]
) -> None:
    export, cookie = alice.export(), sign_in(alice)
    with httpx.Client(base_url=alice.base_url, verify=NO_TLS) as browser:
        browser.cookies.set(cookie["name"], cookie["value"])
        paths = ("/exports", f"/exports/{export['id']}/again", f"/exports/{export['id']}/delete")
        statuses = [browser.post(path, data=data | {"sure": "on"}).status_code for path in paths]

    assert statuses == [403, 403, 403]
    assert len(alice.get("/api/memories/exports").json()["exports"]) == 1


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_on_screens_of_exports(
    browser: Browser, admin: Person, theme: str, size: tuple[int, int]
) -> None:
    admin.save("one " * 500, namespace="n" * 400)
    export = admin.export(format="csv", namespace="n" * 400)
    paths = ("/exports", "/exports/new?csv_safe=on", f"/exports/{export['id']}")
    async with open_reader(browser, admin, theme=theme, size=size) as reader:
        for path in paths:
            page = await reader.open(path)
            wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")

            assert (path, await reader.list_violations(), wide) == (path, [], False)
