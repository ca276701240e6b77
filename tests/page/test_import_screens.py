"""Imports in a browser: a dry run says what would be, then the same file is imported, sent once."""

import asyncio
import json
import os
import signal
import time

import httpx
import pytest
from playwright.async_api import Browser, FilePayload, expect

from support.people import Person
from support.postgres import execute
from support.screens import DESKTOP, PHONE, Reader, find_form_token, open_reader, sign_in
from support.service import NO_TLS, Service, asleep

HOSTILE = "<img src=x onerror=document.title='x'>\u202e&amp;.ndjson"
LINES = "\n".join(
    json.dumps(record)
    for record in (
        {"content": "new <b>one</b>", "namespace": "home"},
        {"content": 5},
        {"content": "new two"},
    )
).encode()
_LAPSE = """
UPDATE memferry.jobs SET expires_at = 1 WHERE type = 'import' AND object_key IS NOT NULL
"""
MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
# As browsers send a field of files in which none was chosen.
NOTHING = (
    b'--x\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n%b\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--x--\r\n'
)
DROP = """
({ name, text }) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  document.querySelector("[data-drop]").dispatchEvent(
    new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}
"""


async def test_a_dropped_file_is_looked_at_and_then_imported_without_being_sent_again(
    reader: Reader, alice: Person
) -> None:
    page = await reader.open("/imports")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    await page.evaluate(DROP, {"name": HOSTILE, "text": LINES.decode()})
    await expect(page.locator(".state")).to_contain_text("completed", timeout=30_000)
    report = await page.locator("main").inner_text()
    stored_before = alice.get("/api/memories").json()
    await page.get_by_label("Import the others").check()
    await page.get_by_role("button", name="Import 2 memories").click()
    await expect(page.locator(".numbers")).to_contain_text("2 memories were", timeout=30_000)
    rows = alice.get("/api/memories").json()

    assert "Nothing was stored" in report
    assert HOSTILE in report
    assert "line 2" in report
    assert stored_before == []
    assert sorted(row["content"] for row in rows) == ["new <b>one</b>", "new two"]
    assert [line.rpartition("/")[2] for line in sent if line.startswith("POST")] == [
        "imports",
        "run",
    ]
    assert await page.title() == "Import · memferry"


async def test_a_file_that_is_no_source_is_told_by_its_name_and_kind(reader: Reader) -> None:
    page = await reader.open("/imports")
    picture = b"\x89PNG\r\n\x1a\n" + bytes(99)
    await page.locator("#file").set_input_files(
        [
            FilePayload(name=name, mimeType="image/png", buffer=picture)
            for name in ("photo.png", "b.png")
        ]
    )
    await page.get_by_role("button", name="Look at the files").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(
        "Dry run of photo.png and 1 more"
    )
    await expect(page.locator(".state")).to_contain_text("failed", timeout=30_000)
    reason = await page.get_by_role("alert").inner_text()
    await reader.open("/")
    card = await page.locator(".jobs li").inner_text()

    assert reason.startswith("The file is ")
    assert card.startswith("Dry run photo.png and 1 more")
    assert f"Failed: {reason}" in card


async def test_a_file_is_imported_by_keyboard_without_scripts(
    browser_off: Reader, alice: Person
) -> None:
    page = await browser_off.open("/imports")
    await page.get_by_text("Options", exact=True).focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("Namespace").fill("away")
    await page.locator("#file").set_input_files(
        {"name": "a.ndjson", "mimeType": "text/plain", "buffer": b'{"content": "one"}\n'}
    )
    await page.get_by_role("button", name="Look at the files").press("Enter")
    button = page.get_by_role("button", name="Import 1 memory")
    while not await button.count():
        await page.reload()
    await button.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Import")
    job = alice.get("/api/memories/imports").json()["imports"][0]
    alice.wait_for_import(job)

    assert [row["namespace"] for row in alice.get("/api/memories").json()] == ["away"]


async def test_a_wrong_file_is_told_plainly(reader: Reader) -> None:
    page = await reader.open("/imports")
    await page.locator("#file").set_input_files(
        {"name": "a.bin", "mimeType": "text/plain", "buffer": bytes(range(256)) * 8}
    )
    await page.get_by_role("button", name="Look at the files").click()
    await expect(page.get_by_role("alert")).to_be_visible(timeout=30_000)
    text = await page.locator("main").inner_text()
    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await reader.open("/")

    assert "unknown_input" in text
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")


async def test_an_import_that_waits_is_cancelled(reader: Reader, service: Service) -> None:
    page = await reader.open("/imports")
    with asleep(service):
        await page.evaluate(DROP, {"name": "a.ndjson", "text": '{"content": "one"}'})
        await page.get_by_role("button", name="Cancel the dry run").click()
        await expect(page.locator(".state")).to_contain_text("cancelled")


def test_a_file_that_is_not_kept_must_be_sent_again(alice: Person) -> None:
    job = alice.import_file('{"content": "one"}', dry_run="true")
    cookie = sign_in(alice)
    with httpx.Client(base_url=alice.base_url, verify=NO_TLS) as browser:
        browser.cookies.set(cookie["name"], cookie["value"])
        token = find_form_token(browser.get("/imports", headers={"Accept": "text/html"}).text)
        form = {"form_token": token, "import_id": job["id"]}
        gone = browser.post("/imports/run", data=form)
        files = {"file": ("a.ndjson", b'{"content": "x"}')}
        foreign = browser.post("/imports", data={"form_token": "0" * 64}, files=files)
        late = browser.post("/imports", files=files)
        nothing = browser.post("/imports", content=NOTHING % token.encode(), headers=MULTIPART)

    assert (gone.status_code, "import_file_gone" in gone.text) == (409, True)
    assert (foreign.status_code, late.status_code) == (403, 403)
    assert (nothing.status_code, "choose one first" in nothing.text) == (400, True)
    assert len(alice.get("/api/memories/imports").json()["imports"]) == 1


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_on_screens_of_imports(
    browser: Browser, alice: Person, theme: str, size: tuple[int, int]
) -> None:
    job = alice.import_file(LINES, name="n" * 300, on_error="skip", tags="t" * 500)
    async with open_reader(browser, alice, theme=theme, size=size) as reader:
        for path in ("/imports", f"/imports/{job['id']}"):
            page = await reader.open(path)
            wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")

            assert (path, await reader.list_violations(), wide) == (path, [], False)


def test_the_file_of_a_dry_run_is_kept_for_an_hour_and_no_longer(
    alice: Person, service: Service, database_url: str
) -> None:
    cookie = sign_in(alice)
    with httpx.Client(base_url=alice.base_url, verify=NO_TLS) as browser:
        browser.cookies.set(cookie["name"], cookie["value"])
        token = find_form_token(browser.get("/imports", headers={"Accept": "text/html"}).text)
        files = {"file": ("a.ndjson", b'{"content": "one"}')}
        sent = browser.post("/imports", data={"form_token": token}, files=files)
        (job,) = alice.get("/api/memories/imports").json()["imports"]
        alice.wait_for_import(job)
        before = list(service.store.glob(f"*/{job['id']}/*"))
        asyncio.run(execute(database_url, _LAPSE))
        os.kill(service.worker_pid() or 0, signal.SIGTERM)  # the next one sweeps at its start
        wait_until_gone(service, job["id"])
        gone = browser.post("/imports/run", data={"form_token": token, "import_id": job["id"]})
        large = {"form_token": token, "namespace": "n" * 70_000}
        refused = browser.post("/imports", data=large, files=files)

    assert sent.headers["location"] == f"/imports/{job['id']}"
    assert len(before) == 1
    assert (gone.status_code, "import_file_gone" in gone.text) == (409, True)
    assert refused.status_code == 413


def wait_until_gone(service: Service, import_id: str) -> None:
    deadline = time.monotonic() + 30
    while list(service.store.glob(f"*/{import_id}/*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
