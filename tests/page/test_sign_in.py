"""The way in and out: tokens and links, cookies, forms of others, what is left of a secret."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import Browser, expect

from memferry.tenants.operator import Operator
from memferry.tenants.tokens import BearerToken
from support.people import Person
from support.postgres import execute
from support.screens import Reader, find_form_token, open_reader, sign_in
from support.service import NO_TLS, Service
from support.tokens import create_holder

HTML = {"Accept": "text/html"}


async def make_link(person: Person, database_url: str) -> str:
    link = await Operator(database_url).create_sign_in_link(BearerToken(person.token))
    return link.path


@pytest.fixture
def visitor(alice: Person) -> Iterator[httpx.Client]:
    """A browser that is not signed in, without Chromium."""
    with httpx.Client(base_url=alice.base_url, headers=HTML, verify=NO_TLS) as client:
        yield client


async def test_a_token_signs_in_and_stands_in_no_address(browser: Browser, alice: Person) -> None:
    async with open_reader(browser, alice, signed_in=False) as reader:
        page = await reader.open("/")
        await page.get_by_label("Token", exact=True).fill(alice.token)
        await page.get_by_label("Token", exact=True).press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Home")
        (cookie,) = await reader.context.cookies()

    assert page.url == f"{reader.url}/"
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    assert alice.token not in cookie["value"]
    assert cookie["expires"] > 0


async def test_nothing_of_a_token_stays_where_others_read(
    browser: Browser, alice: Person, service: Service
) -> None:
    left: list[str] = []
    async with open_reader(browser, alice, signed_in=False) as reader:
        reader.context.on("request", lambda request: left.append(f"{request.url}{request.headers}"))
        page = await reader.open("/")
        await page.get_by_label("Token", exact=True).fill(alice.token)
        await page.get_by_label("Token", exact=True).press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Home")
        for path in ("/exports/new", "/settings", "/"):
            await reader.open(path)
            left.append(await page.content())
        session = await reader.context.new_cdp_session(page)
        left.append(str(await session.send("Page.getNavigationHistory")))
        left.append(str(await reader.context.storage_state()))
        left.append(await page.evaluate("JSON.stringify(Object.entries(sessionStorage))"))
    left.append(service.log.read_text())

    # Its first characters are shown in the settings, so that one knows it again.
    assert [text for text in left if alice.token[12:] in text] == []


def test_over_tls_the_cookie_is_bound_to_its_host(visitor: httpx.Client, alice: Person) -> None:
    form = {"token": alice.token, "form_token": find_form_token(visitor.get("/").text)}
    origin = f"https://{visitor.base_url.netloc.decode()}"
    answer = visitor.post("/sign-in", data=form, headers={"Origin": origin})
    name, _, flags = answer.headers["set-cookie"].partition("=")

    assert name.startswith("__Host-")
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(flags.split("; "))


async def test_a_link_signs_in_once_and_leaves_the_history(
    browser: Browser, alice: Person, database_url: str
) -> None:
    path = await make_link(alice, database_url)
    async with open_reader(browser, alice, signed_in=False) as reader:
        page = await reader.open(path)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Home")
        await page.go_back()
        assert "#" not in page.url
    async with open_reader(browser, alice, signed_in=False) as second:
        page = await second.open(path)
        await expect(page.get_by_role("alert")).to_contain_text("was used")

        assert page.url == f"{second.url}/sign-in"


def test_a_wrong_token_is_told_and_signs_nobody_in(visitor: httpx.Client, charlie: Person) -> None:
    form = {"form_token": find_form_token(visitor.get("/").text), "token": charlie.token}
    answer = visitor.post("/sign-in", data=form)

    assert answer.status_code == 401
    assert "not known here" in answer.text
    assert charlie.token not in answer.text
    assert not answer.cookies


def test_a_screen_leads_through_the_sign_in_and_back(visitor: httpx.Client, alice: Person) -> None:
    asked = visitor.get("/json/namespaces?limit=5")
    page = visitor.get(asked.headers["location"]).text
    form = {"token": alice.token, "form_token": find_form_token(page)}
    answer = visitor.post("/sign-in", data=form | {"next": "/json/namespaces?limit=5"})

    assert asked.status_code == 303
    assert 'name="next" value="/json/namespaces?limit=5"' in page
    assert answer.headers["location"] == "/json/namespaces?limit=5"


@pytest.mark.parametrize("next_", ["//evil.example/", "/\\evil.example", "https://evil.example"])
def test_the_sign_in_leads_to_no_other_host(
    visitor: httpx.Client, alice: Person, next_: str
) -> None:
    form = {"token": alice.token, "form_token": find_form_token(visitor.get("/").text)}

    assert visitor.post("/sign-in", data=form | {"next": next_}).headers["location"] == "/"


def test_revoking_the_token_ends_its_sign_ins(
    visitor: httpx.Client, alice: Person, database_url: str
) -> None:
    cookie = sign_in(alice)
    visitor.cookies.set(cookie["name"], cookie["value"])
    before = visitor.get("/json/namespaces")
    asyncio.run(Operator(database_url).revoke_token(alice.token))
    after = visitor.get("/json/namespaces")

    assert (before.status_code, after.status_code) == (200, 303)


async def test_signing_out_ends_the_sign_in_itself(reader: Reader) -> None:
    page = await reader.open("/")
    (cookie,) = await reader.context.cookies()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Token", exact=True)).to_be_visible()
    again = httpx.get(
        f"{reader.url}/json/namespaces", verify=NO_TLS, cookies={cookie["name"]: cookie["value"]}
    )

    assert await reader.context.cookies() == []
    assert again.status_code == 303


def test_a_cookie_opens_no_address_of_the_api(visitor: httpx.Client, alice: Person) -> None:
    cookie = sign_in(alice)
    visitor.cookies.set(cookie["name"], cookie["value"])

    assert visitor.get("/api/namespaces").status_code == 401
    assert visitor.post("/v1/memories/bulk", json={"items": []}).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused(
    visitor: httpx.Client, alice: Person, headers: dict[str, str]
) -> None:
    form = {"token": alice.token, "form_token": find_form_token(visitor.get("/").text)}
    answer = visitor.post("/sign-in", data=form, headers=headers)

    assert answer.status_code == 403
    assert not answer.cookies


def test_a_form_without_the_token_of_its_sign_in_is_refused(
    visitor: httpx.Client, alice: Person, bob: Person
) -> None:
    cookie, other = sign_in(alice), sign_in(bob)
    visitor.cookies.set(other["name"], other["value"])
    form_of_bob = find_form_token(visitor.get("/").text)
    visitor.cookies.set(cookie["name"], cookie["value"])
    answers = [visitor.post("/sign-out", data=data) for data in ({}, {"form_token": form_of_bob})]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert visitor.get("/json/namespaces").status_code == 200


def test_the_token_of_forms_is_read_by_no_other_site(visitor: httpx.Client) -> None:
    answer = visitor.get("/form-token", headers={"Origin": "https://evil.example"})

    assert answer.json()["form_token"] == find_form_token(visitor.get("/").text)
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"


def test_a_sign_in_holds_the_limits_of_its_token(
    visitor: httpx.Client, alice: Person, database_url: str
) -> None:
    alice.save("one", namespace="work")
    alice.save("two", namespace="private")
    with create_holder(
        alice, database_url, scopes=("memories:read",), namespaces=("work",)
    ) as holder:
        cookie = sign_in(holder)
    visitor.cookies.set(cookie["name"], cookie["value"])
    rows = visitor.get("/json/memories").json()
    refused = visitor.get("/json/memories/exports")

    assert [row["content"] for row in rows] == ["one"]
    assert (refused.status_code, "exports:read" in refused.text) == (403, True)


def test_a_json_twin_answers_as_the_api_and_lets_no_other_site_read(alice: Person) -> None:
    alice.save("one")
    cookie = sign_in(alice)
    with httpx.Client(base_url=alice.base_url, verify=NO_TLS) as browser:
        browser.cookies.set(cookie["name"], cookie["value"])
        twin = browser.get("/json/memories?limit=1")
        foreign = browser.get("/json/memories", headers={"Sec-Fetch-Site": "cross-site"})

    assert twin.content == alice.get("/api/memories?limit=1").content
    assert "access-control-allow-origin" not in twin.headers
    assert twin.headers["cross-origin-resource-policy"] == "same-origin"
    assert foreign.status_code == 403


async def test_secrets_stand_in_no_log(service: Service, alice: Person, database_url: str) -> None:
    cookie, link = sign_in(alice), await make_link(alice, database_url)
    log = service.log.read_text()

    assert cookie["value"] not in log
    assert alice.token not in log
    assert link.partition("#")[2] not in log


def test_a_sign_in_ends_with_its_time(
    visitor: httpx.Client, alice: Person, database_url: str
) -> None:
    cookie = sign_in(alice)
    visitor.cookies.set(cookie["name"], cookie["value"])
    before = visitor.get("/json/namespaces")
    asyncio.run(execute(database_url, "UPDATE memferry.sign_ins SET expires_at = 1"))

    assert (before.status_code, visitor.get("/json/namespaces").status_code) == (200, 303)
