"""The JSON of screens: each that shows something has the link in its head, to the same rows."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import expect

from support.people import Person
from support.screens import Reader, sign_in
from support.service import NO_TLS

_LINK = re.compile(r'<a id="twin"[^>]* href="(?P<address>[^"]*)"')
SCREENS = (
    "/",
    "/memories",
    "/memories?q=one&tags=a&from=2020-01-01",
    "/memories/{memory}",
    "/memories/{memory}/edit",
    "/memories/{gone}",
    "/threads",
    "/threads?namespace=default",
    "/threads/trip",
    "/exports",
    "/exports/{export}",
    "/imports",
    "/imports/{import_}",
    "/settings",
    "/settings/tokens",
    "/settings/webhooks",
    "/settings/webhooks/{webhook}",
    "/settings/audit?event=export.created",
    "/settings/keys",
)
WITHOUT = ("/memories/new", "/exports/new", "/memories?metadata={", "/nowhere", "/sign-in?next=/")


@pytest.fixture
def client(admin: Person) -> Iterator[httpx.Client]:
    """What Alice is signed in with, by a token that may do everything."""
    cookie = sign_in(admin)
    html = {"Accept": "text/html"}
    with httpx.Client(base_url=admin.base_url, headers=html, verify=NO_TLS) as client:
        client.cookies.set(cookie["name"], cookie["value"])
        yield client


def find_twin(text: str) -> str | None:
    """The address of the link, which stands in the head of the screen."""
    head = text.partition('<header class="bar">')[2].partition("</header>")[0]
    link = _LINK.search(head)
    return link and link["address"].replace("&amp;", "&")


def fill(person: Person) -> dict[str, str]:
    """One of each thing; answers their ids."""
    memory = person.save("one", tags=["a"], source_ref="trip")["id"]
    gone = person.save("two")["id"]
    person.delete(f"/api/memories/{gone}")
    hook = {"url": "http://127.0.0.1:9/hook"}
    return {
        "memory": memory,
        "gone": gone,
        "export": person.export()["id"],
        "import_": person.import_file('{"content": "three"}\n')["id"],
        "webhook": person.post("/api/webhooks", json=hook).json()["id"],
    }


def test_each_screen_has_its_json_in_the_same_place(admin: Person, client: httpx.Client) -> None:
    ids, answers = fill(admin), {}
    for path in SCREENS:
        twin = find_twin(client.get(path.format(**ids)).text)
        assert twin is not None, path
        answer = client.get(twin)
        answers[path] = (answer.status_code, answer.headers["content-type"])

    assert answers == dict.fromkeys(SCREENS, (200, "application/json"))


@pytest.mark.parametrize("path", WITHOUT)
def test_a_screen_that_shows_nothing_of_the_store_has_no_json(
    client: httpx.Client, path: str
) -> None:
    assert find_twin(client.get(path).text) is None


def test_the_json_of_a_later_page_has_its_rows(admin: Person, client: httpx.Client) -> None:
    admin.save_many([{"content": str(number), "source_ref": str(number)} for number in range(51)])
    first = client.get("/threads").text
    following = re.search(r'href="(?P<path>/threads\?cursor=[^"#]*)', first)
    assert following is not None
    twins = [find_twin(text) or "" for text in (first, client.get(following["path"]).text)]

    assert [len(client.get(twin).json()) for twin in twins] == [50, 1]


async def test_the_link_follows_the_search(reader: Reader, alice: Person) -> None:
    alice.save("one ferry")
    page = await reader.open("/memories")
    link = page.get_by_role("banner").get_by_role("link", name="This as JSON")
    await page.get_by_label("Search memories").fill("ferry")
    await expect(link).to_have_attribute("href", "/json/memories?q=ferry&prefix=true")
    await page.get_by_text("More filters").click()
    await page.get_by_label("Metadata contains").fill("{")
    await expect(link).to_be_hidden()
    await page.get_by_label("Metadata contains").fill("")
    await expect(link).to_be_visible()
    for key in ("Escape", "g", "j"):
        await page.keyboard.press(key)

    await expect(page).to_have_url(f"{reader.url}/json/memories?q=ferry&prefix=true")
