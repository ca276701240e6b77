"""Addresses that nothing has: a screen for browsers, the error of the API for programs."""

import httpx
import pytest

from support.people import Person
from support.screens import sign_in
from support.service import NO_TLS

HTML = {"Accept": "text/html"}


def open_signed_in(person: Person) -> httpx.Client:
    cookie = sign_in(person)
    browser = httpx.Client(base_url=person.base_url, headers=HTML, verify=NO_TLS)
    browser.cookies.set(cookie["name"], cookie["value"])
    return browser


def test_a_browser_gets_a_screen_that_leads_home(alice: Person) -> None:
    with open_signed_in(alice) as browser:
        answer = browser.get("/memory/1")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
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
    ("referer", "links"),
    [
        ("{}/memories?q=a", 1),
        ("{}//evil.example/", 0),
        ("https://evil.example/memories?q=a", 0),
        ("", 0),
    ],
)
def test_a_fault_leads_back_within_the_service_alone(
    alice: Person, referer: str, links: int
) -> None:
    with open_signed_in(alice) as browser:
        origin = str(browser.base_url).rstrip("/")
        text = browser.get("/nowhere", headers={"Referer": referer.format(origin)}).text

    assert text.count('href="/memories?q=a">Back') == links
    assert "evil.example" not in text
