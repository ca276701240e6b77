"""Errors of what a browser opens outside of the API: a screen; programs get JSON."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from memferry.exports.hand_out import links
from support.people import Person
from support.screens import sign_in
from support.service import NO_TLS
from support.tokens import fetchval, read_tenant_id

HTML, HTML_TYPE = {"Accept": "text/html"}, "text/html; charset=utf-8"


@pytest.fixture
def browser(alice: Person) -> Iterator[httpx.Client]:
    """What Alice is signed in with."""
    cookie = sign_in(alice)
    with httpx.Client(base_url=alice.base_url, headers=HTML, verify=NO_TLS) as browser:
        browser.cookies.set(cookie["name"], cookie["value"])
        yield browser


@pytest.fixture
def visitor(alice: Person) -> Iterator[httpx.Client]:
    """Somebody who has a link and nothing else."""
    with httpx.Client(base_url=alice.base_url, headers=HTML, verify=NO_TLS) as visitor:
        yield visitor


async def make_old_link(person: Person, database_url: str, export_id: str) -> str:
    """Make a download link whose time is over."""
    key = await fetchval(database_url, "SELECT value FROM memferry.keys WHERE name = 'links'")
    tenant_id = await read_tenant_id(person, database_url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(links, "LIFETIME", timedelta(seconds=-1))
        return "/downloads/" + links.Links(key).seal(links.Link(tenant_id, export_id))


def test_an_unknown_address_gets_a_screen_that_leads_home(browser: httpx.Client) -> None:
    answer = browser.get("/memory/1")

    assert (answer.status_code, answer.headers["content-type"]) == (404, HTML_TYPE)
    assert 'href="/memories"' in answer.text
    assert "route_not_found" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "accept"),
    [
        ("GET", "/memory/1", "application/json"),
        ("POST", "/memory/1", "text/html"),
        ("GET", "/api/memory/1", "text/html"),
    ],
)
def test_programs_get_the_error_of_the_api(
    alice: Person, method: str, path: str, accept: str
) -> None:
    answer = alice.request(method, path, headers={"Accept": accept})

    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")


@pytest.mark.parametrize(
    ("referer", "number"),
    [
        ("{}/memories?q=a", 1),
        ("{}//evil.example/", 0),
        ("https://evil.example/memories?q=a", 0),
        ("", 0),
    ],
)
def test_a_fault_leads_back_within_the_service_alone(
    browser: httpx.Client, referer: str, number: int
) -> None:
    origin = str(browser.base_url).rstrip("/")
    text = browser.get("/nowhere", headers={"Referer": referer.format(origin)}).text

    assert text.count('href="/memories?q=a">Back') == number
    assert "evil.example" not in text


def test_a_link_whose_time_is_over_leads_to_its_export(
    visitor: httpx.Client, alice: Person, database_url: str
) -> None:
    export = alice.export()
    answer = visitor.get(asyncio.run(make_old_link(alice, database_url, export["id"])))

    assert (answer.status_code, answer.headers["content-type"]) == (404, HTML_TYPE)
    assert f'href="/exports/{export["id"]}">Open the export' in answer.text


def test_a_link_that_was_never_made_leads_to_all_exports(visitor: httpx.Client) -> None:
    answer = visitor.get("/downloads/none")

    assert (answer.status_code, answer.headers["content-type"]) == (404, HTML_TYPE)
    assert 'href="/exports">Exports' in answer.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/octet-stream"])
def test_programs_get_json_of_a_link_whose_time_is_over(
    alice: Person, database_url: str, accept: str
) -> None:
    link = asyncio.run(make_old_link(alice, database_url, alice.export()["id"]))
    answer = alice.get(link, headers={"Accept": accept})

    assert (answer.status_code, set(answer.json())) == (404, {"error", "code"})
    assert answer.json()["code"] == "download_not_found"


def test_a_file_that_was_purged_leads_to_its_export_which_can_be_made_again(
    browser: httpx.Client, alice: Person
) -> None:
    row, export = alice.save("one"), alice.export()
    alice.delete(f"/api/memories/{row['id']}", params={"purge_exports": "true"})
    path = f"/exports/{export['id']}"
    answers = [browser.get(f"{path}/file"), browser.get(f"{path}/file?part_number=2")]
    screen = browser.get(path).text

    assert [answer.status_code for answer in answers] == [404, 404]
    assert all(f'href="{path}">Open the export' in answer.text for answer in answers)
    assert f'action="{path}/again"' in screen


def test_the_json_of_what_is_gone_is_a_screen_for_people_alone(browser: httpx.Client) -> None:
    path = "/json/memories/exports/01HQ0000000000000000000000/manifest"
    shown, fetched = browser.get(path), browser.get(path, headers={"Accept": "*/*"})

    assert (shown.status_code, shown.headers["content-type"]) == (404, HTML_TYPE)
    assert (fetched.status_code, fetched.json()["code"]) == (404, "export_not_found")


def test_an_address_of_forms_alone_says_so(browser: httpx.Client) -> None:
    answer = browser.get("/sign-out")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "Only a form leads there" in answer.text
