"""Chromium, which all tests of the page share."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, async_playwright

from support.browser import CHROMIUM, needs_browser
from support.people import Person
from support.screens import Reader, open_reader
from support.tokens import create_admin


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(needs_browser)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, without a window."""
    # Chromium's sandbox refuses to work for root.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        await browser.close()


@pytest.fixture
async def reader(browser: Browser, alice: Person) -> AsyncIterator[Reader]:
    """Alice, signed in, at a desk."""
    async with open_reader(browser, alice) as reader:
        yield reader


@pytest.fixture
async def browser_off(browser: Browser, alice: Person) -> AsyncIterator[Reader]:
    """Alice, signed in, with scripts turned off."""
    async with open_reader(browser, alice, java_script_enabled=False) as reader:
        yield reader


@pytest.fixture
def admin(alice: Person, database_url: str) -> Iterator[Person]:
    """Alice, by a token that may do everything."""
    with create_admin(alice, database_url) as admin:
        yield admin


@pytest.fixture
async def admin_reader(browser: Browser, admin: Person) -> AsyncIterator[Reader]:
    """Alice at a desk, signed in by a token that may do everything."""
    async with open_reader(browser, admin) as reader:
        yield reader
