"""One memory in a browser: what it shows, and changing, restoring and deleting it."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, expect

from support.memories import AWKWARD
from support.people import Person
from support.screens import Reader, find_form_token, open_reader, sign_in
from support.service import NO_TLS
from support.tokens import create_holder

METADATA = '{"big":12345678901234567890,"rate":1.50,"none":null,"deep":{"a":[1e2]}}'


def save_exact(person: Person, content: str, metadata: str = METADATA) -> str:
    body = httpx.Response(200, json={"content": content}).text[:-1] + f',"metadata":{metadata}}}'
    answer = person.post("/api/memories", content=body.encode())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def send_form(person: Person, path: str, **fields: str) -> httpx.Response:
    """Send the form of a screen as a browser does: with line ends as CR LF."""
    cookie = sign_in(person)
    with httpx.Client(base_url=person.base_url, verify=NO_TLS) as browser:
        browser.cookies.set(cookie["name"], cookie["value"])
        text = browser.get(path, headers={"Accept": "text/html"}).text
        updated_at = text.partition('name="updated_at" value="')[2].partition('"')[0]
        fields = {"form_token": find_form_token(text), "updated_at": updated_at} | fields
        sent = {
            name: re.sub("\r\n|\r|\n", "\r\n", value.replace("\0", ""))
            for name, value in fields.items()
        }
        return browser.post(path, data=sent)


async def test_a_change_is_made_seen_and_taken_back(reader: Reader, alice: Person) -> None:
    id_ = save_exact(alice, "Likes tea")
    page = await reader.open(f"/memories/{id_}/edit")
    await page.get_by_label("Content").fill("Likes green tea")
    await page.get_by_label("Tags").fill("taste\nmorning, early")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("pre.text").first).to_have_text("Likes green tea")
    await expect(page.locator(".history li").first).to_contain_text("by your token")
    changed = alice.get(f"/api/memories/{id_}").json()
    await page.get_by_text("Before: version 1").click()
    await page.get_by_role("button", name="Restore version 1").click()
    await expect(page.locator(".done")).to_contain_text("Restored")
    newest = await page.locator(".history li p").first.inner_text()
    restored = alice.get(f"/api/memories/{id_}")

    assert changed["tags"] == ["taste", "morning, early"]
    assert restored.json()["content"] == "Likes tea"
    assert METADATA in restored.text
    assert newest.startswith("Restored")
    assert "· restore" not in newest


@pytest.mark.parametrize("content", AWKWARD)
def test_a_form_that_is_sent_unchanged_changes_nothing(alice: Person, content: str) -> None:
    id_ = save_exact(alice, content)
    before = alice.get(f"/api/memories/{id_}").content
    answer = send_form(
        alice, f"/memories/{id_}/edit", content=content, namespace="default", tags="",
        metadata=METADATA,
    )  # fmt: skip

    assert answer.headers["location"] == f"/memories/{id_}"
    assert alice.get(f"/api/memories/{id_}").content == before


@pytest.mark.parametrize(
    ("before", "typed", "after"),
    [
        ("a\nb", "a\nb\nc", "a\nb\nc"),
        ("a\r\nb", "a\nb\nc", "a\r\nb\r\nc"),
        ("a\rb\nc", "a\nb\nc\nd", "a\nb\nc\nd"),
        ("a", "a\nb", "a\nb"),
    ],
)
def test_a_change_keeps_the_line_ends(alice: Person, before: str, typed: str, after: str) -> None:
    id_ = save_exact(alice, before)
    send_form(
        alice, f"/memories/{id_}/edit", content=typed, namespace="default", tags="",
        metadata=METADATA,
    )  # fmt: skip

    assert alice.get(f"/api/memories/{id_}").json()["content"] == after


@pytest.mark.parametrize(
    ("typed", "after"),
    [
        ('{"rate": 1.50, "big": 12345678901234567890}', '{"big":12345678901234567890,"rate":1.50}'),
        ('{"big":12345678901234567890,"rate":1.5,"none":null,"deep":{"a":[1e2]}}',
         '{"big":12345678901234567890,"rate":1.5,"none":null,"deep":{"a":[1e2]}}'),
        ("", "{}"),
    ],
)  # fmt: skip
def test_metadata_becomes_what_was_typed_digit_by_digit(
    alice: Person, typed: str, after: str
) -> None:
    id_ = save_exact(alice, "x")
    send_form(
        alice, f"/memories/{id_}/edit", content="x", namespace="default", tags="", metadata=typed
    )

    assert f'"metadata":{after}' in alice.get(f"/api/memories/{id_}").text


def test_what_was_typed_stays_beside_the_error(alice: Person) -> None:
    id_ = save_exact(alice, "x")
    answer = send_form(
        alice, f"/memories/{id_}/edit", content="typed for long", namespace="n", tags="",
        metadata="{",
    )  # fmt: skip

    assert answer.status_code == 400
    assert "metadata" in answer.text
    assert "typed for long</textarea>" in answer.text
    assert alice.get(f"/api/memories/{id_}").json()["content"] == "x"


def test_the_form_sets_and_takes_away_the_expiry(alice: Person) -> None:
    id_ = save_exact(alice, "x")
    same = {"content": "x", "namespace": "default", "tags": "", "metadata": METADATA}
    send_form(alice, f"/memories/{id_}/edit", **same, expires_at="2999-01-31T18:30")
    set_ = alice.get(f"/api/memories/{id_}").json()["expires_at"]
    send_form(alice, f"/memories/{id_}/edit", **same, expires_at="")

    assert set_ == 32_474_802_600_000
    assert "expires_at" not in alice.get(f"/api/memories/{id_}").json()


async def test_two_browsers_do_not_overwrite_each_other_unseen(
    browser: Browser, reader: Reader, alice: Person
) -> None:
    id_ = save_exact(alice, "first")
    async with open_reader(browser, alice) as other:
        await other.open(f"/memories/{id_}/edit")
        page = await reader.open(f"/memories/{id_}/edit")
        await page.get_by_label("Content").fill("second")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("pre.text").first).to_have_text("second")
        await other.page.get_by_label("Content").fill("third")
        await other.page.get_by_role("button", name="Save").click()
        await expect(other.page.get_by_role("alert")).to_contain_text("changed while you edited")
        typed = await other.page.get_by_label("Content").input_value()

    assert typed == "third"
    assert alice.get(f"/api/memories/{id_}").json()["content"] == "second"


async def test_a_memory_is_deleted_by_keys_also_from_stored_exports(
    reader: Reader, alice: Person
) -> None:
    id_ = save_exact(alice, "to go")
    export = alice.export()
    page = await reader.open(f"/memories/{id_}")
    await page.get_by_label("Also from stored exports").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".done")).to_contain_text("1 stored export")
    await reader.open(f"/memories/{id_}")

    assert alice.get(f"/api/memories/exports/{export['id']}").json()["status"] == "expired"
    assert "was deleted" in await page.locator("h1").inner_text()


async def test_copy_as_json_is_the_row_byte_for_byte(browser: Browser, alice: Person) -> None:
    id_ = save_exact(alice, AWKWARD[3])
    options: dict[str, Any] = {"permissions": ["clipboard-read", "clipboard-write"]}
    async with open_reader(browser, alice, **options) as reader:
        page = await reader.open(f"/memories/{id_}")
        await page.get_by_role("button", name="Copy as JSON").click()
        await expect(page.get_by_role("button", name="Copied")).to_be_visible()
        copied = await page.evaluate("navigator.clipboard.readText()")

    assert copied == alice.get(f"/api/memories/{id_}").text


async def test_a_reader_of_one_namespace_sees_no_other_and_changes_nothing(
    browser: Browser, alice: Person, database_url: str
) -> None:
    own, other = alice.save("own", namespace="work"), alice.save("other", namespace="private")
    holder = await make_reader_of_work(alice, database_url)
    async with open_reader(browser, holder) as reader:
        page = await reader.open("/memories")
        listed = await page.locator("#results .content").all_text_contents()
        await reader.open(f"/memories/{own['id']}")
        buttons = await page.get_by_role("button", name="Delete").count()
        answer = await page.request.get(f"{reader.url}/memories/{other['id']}")
        form = await page.request.get(f"{reader.url}/memories/{own['id']}/edit")
    holder.close()

    assert listed == ["own"]
    assert buttons == 0
    assert (answer.status, form.status) == (404, 403)


async def make_reader_of_work(person: Person, database_url: str) -> Person:
    """A reader of one namespace; the helper has an event loop of its own."""
    return await asyncio.to_thread(
        create_holder, person, database_url, scopes=("memories:read",), namespaces=("work",)
    )
