"""A screen by keys alone: where the focus is after each of them, and whether a reader sees it."""

from dataclasses import dataclass

from playwright.async_api import Error, Page

_READ = """() => {
  const element = document.activeElement, box = element.getBoundingClientRect();
  const style = getComputedStyle(element), label = element.labels?.[0];
  const middle = [box.x + box.width / 2, box.y + box.height / 2];
  return {
    path: element === document.body ? "body" : `${element.localName}#${element.id}`,
    name: (element.ariaLabel ?? label?.textContent ?? element.textContent)
      .replace(/\\s+/g, " ").trim(),
    isSeen: style.outlineStyle !== "none" && box.width > 1 && box.height > 1
      && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""
_MOST_STOPS = 200


@dataclass(frozen=True)
class Focus:
    """What has the focus: `body` if nothing has."""

    path: str
    """The element and its id."""
    name: str
    is_seen: bool
    """Whether it lies on the screen, with a line around it."""


async def read_focus(page: Page) -> Focus:
    """What has the focus; if a screen goes away just then, on the next one."""
    try:
        read = await page.evaluate(_READ)
    except Error:
        await page.wait_for_load_state()
        read = await page.evaluate(_READ)
    return Focus(read["path"], read["name"], read["isSeen"])


async def press(page: Page, *keys: str) -> Focus:
    """Press keys one by one; where the focus is then."""
    for key in keys:
        await page.keyboard.press(key)
    return await read_focus(page)


async def tab_to(page: Page, name: str, key: str = "Tab") -> Focus:
    """Go on by Tab until what has the focus is called so; a reader must see each stop."""
    for _ in range(_MOST_STOPS):
        focus = await press(page, key)
        # Between the last stop and the first one, the browser itself has the focus.
        if focus.path == "body":
            continue
        assert focus.is_seen, focus
        if focus.name.startswith(name):
            return focus
    raise AssertionError(name)


async def list_stops(page: Page) -> list[Focus]:
    """The stops of Tab behind the navigation, to the end of the screen."""
    await page.locator("#main").focus()
    stops = list[Focus]()
    for _ in range(_MOST_STOPS):
        focus = await press(page, "Tab")
        # Behind the last stop the browser itself has the focus.
        if focus.path == "body":
            return stops
        stops.append(focus)
    raise AssertionError(stops)
