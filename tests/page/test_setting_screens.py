"""Settings in a browser: tokens, webhooks, audit, limits and keys, for those who may see them."""

import re

import httpx
import pytest
from playwright.async_api import Browser, expect

from support.people import Person
from support.screens import DESKTOP, PHONE, Reader, find_form_token, follow, open_reader, sign_in
from support.service import NO_TLS
from support.tokens import create_holder

HOSTILE = "<script>document.title='x'</script>\u202e&amp;{{7*7}}"
PATHS = (
    "/settings",
    "/settings/tokens",
    "/settings/webhooks",
    "/settings/audit",
    "/settings/keys",
)


async def test_a_token_is_made_shown_once_used_and_revoked(
    admin_reader: Reader, alice: Person
) -> None:
    page = await admin_reader.open("/settings/tokens")
    await page.get_by_label("Name", exact=True).fill(HOSTILE)
    await page.get_by_label("Only these namespaces").fill("travel\nhome")
    await page.get_by_label("memories:write").uncheck()
    await page.get_by_label("Expires").fill("2999-01-31")
    await page.get_by_label("Expires").press("Enter")
    secret = await page.locator("#secret").inner_text()
    with Person("new", str(alice.base_url), secret) as holder:
        me = holder.get("/api/auth/me").json()["user"]
        await admin_reader.open("/settings/tokens")
        text = await page.content()
        row = page.locator("tbody tr").filter(has_text=HOSTILE)
        await row.get_by_text("Revoke…").click()
        await row.get_by_role("button", name="Revoke").click()
        await expect(page.get_by_role("status").first).to_contain_text("was revoked")
        after = holder.get("/api/auth/me").status_code

    assert me["namespaces"] == ["travel", "home"]
    assert me["scopes"] == ["memories:read", "exports:read", "exports:create"]
    assert secret not in text
    assert after == 401


async def test_a_wrong_token_form_keeps_what_was_typed(admin_reader: Reader) -> None:
    page = await admin_reader.open("/settings/tokens")
    await page.get_by_label("Name", exact=True).fill("laptop")
    await page.get_by_label("Expires").fill("2001-01-31")
    await page.get_by_role("button", name="Make the token").click()

    assert "not in the future" in await page.get_by_role("alert").inner_text()
    assert await page.get_by_label("Name", exact=True).input_value() == "laptop"


async def test_a_webhook_is_made_changed_and_deleted(admin_reader: Reader, alice: Person) -> None:
    page = await admin_reader.open("/settings/webhooks")
    await page.get_by_label("Address").fill("http://127.0.0.1:9/hook")
    await page.get_by_label("Description").fill(HOSTILE)
    await page.get_by_label("memory.saved").check()
    await page.get_by_role("button", name="Make the webhook").click()
    secret = await page.locator("#secret").inner_text()
    alice.save("one")
    await page.get_by_role("link", name="http://127.0.0.1:9/hook").click()
    # The label also tells how often a delivery has failed, if one has by then.
    await page.get_by_role("checkbox", name=re.compile(r"^\s*On\b")).uncheck()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status").first).to_have_text("Saved.")
    (webhook,) = alice.get("/api/webhooks").json()["endpoints"]
    await expect(page.get_by_role("region", name="Deliveries")).to_contain_text("memory.saved")
    await page.get_by_label("Yes, delete").check()
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("status").first).to_contain_text("was deleted")

    assert secret.startswith("whsec_")
    assert (webhook["enabled"], webhook["description"]) == (False, HOSTILE)
    assert webhook["events"] == ["memory.saved"]
    assert alice.get("/api/webhooks").json()["endpoints"] == []


async def test_the_audit_is_filtered_and_paged(admin_reader: Reader, alice: Person) -> None:
    for _ in range(26):  # two entries each
        alice.export()
    page = await admin_reader.open("/settings/audit")
    await follow(page.get_by_role("link", name="Older ones"))
    older = await page.locator("tbody tr").count()
    await page.get_by_label("Event").select_option("export.created")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator("tbody tr")).to_have_count(26)
    events = set(await page.locator("td .word").all_text_contents())

    assert older > 0
    assert "export created" in events
    assert "export completed" not in events


async def test_limits_and_the_key_are_told(admin_reader: Reader, alice: Person) -> None:
    alice.save("one")
    export = alice.export()
    page = await admin_reader.open("/settings")
    limits = await page.get_by_role("region", name="Limits").inner_text()
    await page.get_by_role("link", name="Verification").click()
    keys = httpx.get(f"{admin_reader.url}/api/keys", verify=NO_TLS).json()["keys"]

    assert "under 0.1%" in limits
    assert (await page.locator("#pem").inner_text()).strip() == keys[0]["pem"].strip()
    assert await page.get_by_role("link", name=export["id"]).count() == 1


def test_a_token_sees_only_the_settings_of_its_scopes(alice: Person, database_url: str) -> None:
    with create_holder(
        alice, database_url, scopes=("memories:read",), namespaces=("home",)
    ) as holder:
        cookie = sign_in(holder)
    with httpx.Client(base_url=alice.base_url, verify=NO_TLS) as browser:
        browser.cookies.set(cookie["name"], cookie["value"])
        pages = [browser.get(path, headers={"Accept": "text/html"}) for path in PATHS]
        form = {"form_token": find_form_token(pages[0].text), "name": "x", "scopes": "admin"}
        sent = browser.post("/settings/tokens", data=form)

    assert [page.status_code for page in pages] == [200, 403, 403, 403, 403]
    assert "may not see Tokens, Webhooks, Audit, Verification" in pages[0].text
    assert "only a part of it" in pages[0].text
    assert (sent.status_code, "admin" in sent.text) == (403, True)


@pytest.mark.parametrize("data", [{}, {"form_token": "0" * 64}], ids=["none", "another"])
def test_forms_of_settings_need_the_token_of_the_sign_in(
    admin: Person, data: dict[str, str]
) -> None:
    cookie = sign_in(admin)
    (token, *_) = admin.get("/api/tokens").json()["tokens"]
    with httpx.Client(base_url=admin.base_url, verify=NO_TLS) as browser:
        browser.cookies.set(cookie["name"], cookie["value"])
        paths = ("/settings/tokens", f"/settings/tokens/{token['id']}/revoke", "/settings/webhooks")
        form = data | {"scopes": "admin", "url": "https://example.com"}
        statuses = [browser.post(path, data=form).status_code for path in paths]

    assert statuses == [403, 403, 403]
    assert len(admin.get("/api/tokens").json()["tokens"]) == 2


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_on_settings(
    browser: Browser, admin: Person, theme: str, size: tuple[int, int]
) -> None:
    hook = {"url": f"https://example.com/{'h' * 300}", "description": "d" * 500}
    webhook = admin.post("/api/webhooks", json=hook).json()
    admin.post("/api/tokens", json={"name": "n" * 200, "namespaces": ["s" * 500]})
    admin.export()
    admin.get("/api/memories/exports/01HQ0000000000000000000000")  # a refusal, which is noted
    async with open_reader(browser, admin, theme=theme, size=size) as reader:
        for path in (*PATHS, f"/settings/webhooks/{webhook['id']}"):
            page = await reader.open(path)
            wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")

            assert (path, await reader.list_violations(), wide) == (path, [], False)
