"""Writes the pictures of docs/images: the page over the sample of the demo, in Chromium."""

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import FilePayload, Page, sync_playwright

from memferry.demo.service import run_service
from memferry.demo.sources import read_sample
from memferry.model.token import SCOPES

_IMAGES = Path(__file__).parents[1] / "docs/images"
_DAY_MS = 24 * 3600 * 1000
_FIRST_MS = 1_780_000_000_000
_FILE = b"""{"content": "Prefers the window seat.", "namespace": "travel"}
{"content": "The spare key is with Ines.", "namespace": "home"}
{"content": 42, "namespace": "home"}
{"content": "Swims on Tuesdays.", "tags": ["sport"]}
"""


@dataclass(frozen=True)
class Picture:
    """One picture: the screen to open, and a link to follow or a file to import from there."""

    name: str
    path: str
    link: str = ""
    file: bytes = b""
    shows: str = "main"
    """What is waited for."""
    theme: str = "light"
    size: tuple[int, int] = (1100, 720)


PICTURES = (
    Picture("home", "/"),
    Picture("memories", "/memories?q=train"),
    Picture("memory", "/memories?q=green+tea", link="#results a.content", shows="pre.text"),
    Picture("export", "/exports/new?format=csv&namespace=travel", size=(1100, 980)),
    Picture("exported", "/exports", link="tbody a", shows="#sha256", size=(1100, 800)),
    Picture("import", "/imports", file=_FILE, shows="#run", size=(1100, 720)),
    Picture("settings", "/settings", size=(1100, 860)),
    Picture("phone", "/memories", theme="dark", size=(390, 720)),
)


def main() -> int:
    """Start the service with the sample, and take each picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.stderr.write("no chromium here; on Debian: apt-get install chromium\n")
        return 1
    _IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with run_service(Path(folder, "data")) as service, sync_playwright() as playwright:
            token = service.create_token(service.name_tenant("pictures"), SCOPES)
            _fill(service.url, token)
            options = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = playwright.chromium.launch(executable_path=chromium, args=options)
            for picture in PICTURES:
                page = browser.new_page(
                    viewport={"width": picture.size[0], "height": picture.size[1]},
                    color_scheme="dark" if picture.theme == "dark" else "light",
                    locale="en-GB",
                )
                _take(page, service.url, token, picture)
            browser.close()
    return 0


def _fill(url: str, token: str) -> None:
    """Save the sample, spread over half a year, change one memory, and export everything."""
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        rows = [httpx.Response(200, content=bytes(row)).json() for row in read_sample()]
        for number, row in enumerate(rows):
            row["created_at"] = row["updated_at"] = _FIRST_MS + number * number % 180 * _DAY_MS
        client.post("/v1/memories/bulk", json={"items": rows}).raise_for_status()
        (tea,) = client.get("/api/memories", params={"q": "green tea", "limit": 1}).json()
        path = f"/api/memories/{tea['id']}"
        client.patch(path, json={"content": "Drinks green tea in the morning."})
        client.patch(path, json={"content": tea["content"], "metadata": {"confidence": 0.9}})
        client.post("/api/memories/exports", json={"format": "json"}).raise_for_status()


def _take(page: Page, url: str, token: str, picture: Picture) -> None:
    page.goto(url)
    page.fill("#token", token)
    page.press("#token", "Enter")
    page.wait_for_selector("nav[aria-label=Main]")
    page.goto(url + picture.path)
    if picture.link:
        page.click(picture.link)
    if picture.file:
        file = FilePayload(name="notes.ndjson", mimeType="text/plain", buffer=picture.file)
        page.set_input_files("#file", files=[file])
        page.click("button.main")
    page.wait_for_selector(picture.shows)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=_IMAGES / f"{picture.name}.png")
    page.context.close()


if __name__ == "__main__":
    sys.exit(main())
