"""Every screen in both themes, at a desk and on a phone: axe finds nothing."""

import pytest
from playwright.async_api import Browser

from support.people import Person
from support.screens import DESKTOP, PHONE, open_reader

SCREENS = (
    "/",
    "/memories",
    "/memories?q=ferr",
    "/memories?metadata={",
    "/memories/new",
    "/memories/{id}",
    "/memories/{id}/edit",
    "/threads",
    "/threads/trip",
    "/memories/none",
    "/downloads/none",
)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing(
    browser: Browser, alice: Person, theme: str, size: tuple[int, int]
) -> None:
    for word in ("ferries", "<b>bold</b>", "word" * 100):
        row = alice.save(f"Prefers {word}", tags=[word], namespace=word, source_ref="trip")
    alice.patch(f"/api/memories/{row['id']}", json={"metadata": {"parent_ref": "trip"}})
    alice.export()
    async with open_reader(browser, alice, theme=theme, size=size) as reader:
        found = {}
        for path in SCREENS:
            page = await reader.open(path.replace("{id}", row["id"]))
            found[path] = await reader.list_violations()
            wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not wide, path

    assert found == {path: [] for path in SCREENS}


@pytest.mark.parametrize(("theme", "size"), [("light", DESKTOP), ("dark", PHONE)])
async def test_axe_finds_nothing_on_the_way_in(
    browser: Browser, alice: Person, theme: str, size: tuple[int, int]
) -> None:
    async with open_reader(browser, alice, theme=theme, size=size, signed_in=False) as reader:
        page = await reader.open("/")
        wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")

        assert (await reader.list_violations(), wide) == ([], False)
