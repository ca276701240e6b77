"""An exported page in a real browser: hostile texts stay texts, nothing is loaded, search finds."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from support.browser import needs_browser, open_page, read_page
from support.documents import arrange, make_rows, sort_within_times
from support.pages import Page, show_part
from support.people import Person

pytestmark = needs_browser


class Canary(BaseHTTPRequestHandler):
    """Notes what it is asked for in the list of its server."""

    def do_GET(self) -> None:
        vars(self.server)["paths"].append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    """The address of a server that no page may reach, and the paths it was asked for."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Canary) as server:
        paths: list[str] = []
        vars(server)["paths"] = paths
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", paths
        server.shutdown()
        thread.join()


def save_page(person: Person, folder: Path) -> str:
    """Export everything as a page; the address of its file."""
    page = folder / "memories.html"
    page.write_bytes(person.export(format="html")["payload"].encode())
    return page.as_uri()


def hostile_rows(address: str) -> list[dict[str, Any]]:
    texts = (
        f"<img src={address}/img onerror=\"document.title='run'\">",
        f"<script src={address}/script></script><script>document.title='run'</script>",
        f"<link rel=stylesheet href={address}/style><style>@import '{address}/import'</style>",
        f"<iframe src={address}/frame></iframe><object data={address}/object></object>",
        f"<svg onload=\"document.title='run'\"><image href={address}/svg></svg>",
        f"<meta http-equiv=refresh content='0;url={address}/refresh'>",
        f"<base href={address}/><form action={address}/form><input autofocus onfocus=alert(1)>",
        f'" onmouseover="fetch(\'{address}/attribute\')" x="',
        f"' style='background:url({address}/css)'",
        f"</div></article></section></main></body></html><video src={address}/video autoplay>",
        f"</title></style></script><body onload=\"location='{address}/load'\">",
    )
    return [
        {"content": text, "namespace": text, "tags": [text], "source": text, "source_ref": text}
        for text in texts
        for _ in range(2)
    ]


def test_a_browser_finds_every_text_as_it_is(alice: Person, tmp_path: Path) -> None:
    alice.save_many(make_rows())
    expected = [show_part(part) for part in arrange(alice.get("/api/memories?limit=500").json())]
    page = Page(read_page(save_page(alice, tmp_path), tmp_path / "profile"))

    assert sort_within_times(page.parts) == sort_within_times(expected)


def test_hostile_texts_load_nothing_and_run_nothing(
    alice: Person, tmp_path: Path, canary: tuple[str, list[str]]
) -> None:
    address, paths = canary
    alice.save_many(hostile_rows(address))
    text = read_page(save_page(alice, tmp_path), tmp_path / "profile")

    assert "<title>Memories</title>" in text
    assert len(Page(text).shown) == 22
    assert paths == []


def test_the_page_would_have_noticed(tmp_path: Path, canary: tuple[str, list[str]]) -> None:
    address, paths = canary
    page = tmp_path / "plain.html"
    page.write_text(f"<img src={address}/img><script>document.title = 'run'</script>")

    assert "<title>run</title>" in read_page(page.as_uri(), tmp_path / "profile")
    assert paths == ["/img"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ferries", ["Prefers ferries"]),
        ("FERR%20pref", ["Prefers ferries"]),
        ("zurich", ["Z\u00fcrich at night", "Zu\u0308rich by day"]),
        ("sea", ["Prefers ferries", "Rows on Sundays"]),
        ("trip", ["Z\u00fcrich at night", "Zu\u0308rich by day"]),
        ("%3Cb%3E", ["<b>bold</b>"]),
        ("nowhere", []),
    ],
)
def test_search_shows_what_has_all_words_in_any_place(
    alice: Person, tmp_path: Path, words: str, found: list[str]
) -> None:
    alice.save_many(
        [
            {"content": "Prefers ferries", "namespace": "travel", "tags": ["sea"]},
            {"content": "Z\u00fcrich at night", "namespace": "travel", "source_ref": "trip 1"},
            {"content": "Zu\u0308rich by day", "namespace": "travel", "source_ref": "trip 1"},
            {"content": "Rows on Sundays", "namespace": "overseas"},
            {"content": "<b>bold</b>", "namespace": "other"},
        ]
    )
    page = Page(read_page(f"{save_page(alice, tmp_path)}#q={words}", tmp_path / "profile"))
    shown = {row["content"] for part in page.parts for row in part.rows if row["id"] in page.shown}
    sections = [attributes for tag, attributes in page.tags if tag == "section"]

    assert sorted(shown) == sorted(found)
    assert any("hidden" in attributes for attributes in sections)


@pytest.mark.long
def test_ten_thousand_memories_can_be_searched(alice: Person, tmp_path: Path) -> None:
    alice.save_many([{"content": f"number {i} " + "words " * 40} for i in range(10_000)])
    url = save_page(alice, tmp_path)
    page = Page(read_page(f"{url}#q=number%209999", tmp_path / "profile"))

    assert (len(page.parts), len(page.shown)) == (10_000, 1)


def test_a_page_can_be_printed(alice: Person, tmp_path: Path) -> None:
    alice.save_many(make_rows())
    target = tmp_path / "out.pdf"
    open_page(save_page(alice, tmp_path), tmp_path / "profile", f"--print-to-pdf={target}")

    assert target.read_bytes().startswith(b"%PDF")
