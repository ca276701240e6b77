"""A person who looks at the page in a real Chromium, and everything that went wrong there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request

from support.people import Person
from support.service import NO_TLS

DESKTOP, PHONE = (1280, 800), (390, 844)
SECONDS = 10
"""How long anything that is waited for may take."""


class Reader:
    """One browser of a person, with cookies of its own; the service is all that it may reach."""

    page: Page

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.context = context
        self.faults: list[str] = []
        """Scripts that failed, what the policy blocked, and requests to other hosts."""
        context.set_default_timeout(SECONDS * 1000)
        context.on("page", self._watch)

    def _watch(self, page: Page) -> None:
        page.on("console", self._note_message)
        page.on("pageerror", lambda fault: self.faults.append(f"script: {fault}"))
        page.on("request", self._note_request)

    def _note_message(self, message: ConsoleMessage) -> None:
        # What was answered with an error is told by the test that asked for it.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.faults.append(f"console: {message.text}")

    def _note_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob"} and address.netloc != urlsplit(self.url).netloc:
            self.faults.append(f"request: {request.url}")

    async def open(self, path: str) -> Page:
        """Go to a screen by its address."""
        await self.page.goto(self.url + path)
        return self.page

    async def list_violations(self) -> list[str]:
        """What axe finds on the screen: the rule, and where."""
        return [
            f"{violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in (await Axe().run(self.page)).response["violations"]
            for node in violation["nodes"]
        ]


@asynccontextmanager
async def open_reader(
    browser: Browser,
    person: Person,
    *,
    size: tuple[int, int] = DESKTOP,
    theme: str = "light",
    signed_in: bool = True,
    **options: Any,
) -> AsyncIterator[Reader]:
    """A browser of a person; at its end no script may have failed, and no other host was asked."""
    url = str(person.base_url).rstrip("/")
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=cast("Any", theme),
        reduced_motion="reduce",
        locale=options.pop("locale", "en-GB"),
        timezone_id="UTC",
        **options,
    )
    try:
        if signed_in:
            await context.add_cookies([sign_in(person) | {"url": url}])
        reader = Reader(context, url)
        reader.page = await context.new_page()
        yield reader
        assert reader.faults == []
    finally:
        await context.close()


async def follow(link: Locator) -> None:
    """Click what leads to another screen, and wait until that one is there."""
    async with link.page.expect_navigation():
        await link.click()


def sign_in(person: Person) -> Any:
    """Name and value of the cookie that a browser of the person gets."""
    with httpx.Client(base_url=person.base_url, verify=NO_TLS) as browser:
        form = {
            "token": person.token,
            "form_token": find_form_token(
                browser.get("/sign-in", headers={"Accept": "text/html"}).text
            ),
        }
        answer = browser.post("/sign-in", data=form)
        assert answer.status_code == 303, answer.text
        ((name, value),) = browser.cookies.items()
        return {"name": name, "value": value}


def find_form_token(text: str) -> str:
    """The token of the forms on a screen."""
    return text.partition('name="form_token" value="')[2].partition('"')[0]
