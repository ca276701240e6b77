"""HTML: every text is text, the page is whole for a strict reader, and holds its own policy."""

import base64
import hashlib
import re
from typing import Any

from support.documents import arrange, make_rows, sort_within_times
from support.pages import Page, show_part
from support.people import Person


def export_page(person: Person) -> tuple[list[dict[str, Any]], str]:
    person.save_many(make_rows())
    rows: list[dict[str, Any]] = person.get("/api/memories?limit=500").json()
    return rows, person.export(format="html")["payload"]


def test_every_text_stands_where_it_belongs_and_is_exact(alice: Person) -> None:
    rows, text = export_page(alice)
    expected = [show_part(part) for part in arrange(rows)]

    assert sort_within_times(Page(text).parts) == sort_within_times(expected)


def test_nothing_is_loaded_and_only_the_named_script_and_style_run(alice: Person) -> None:
    _, text = export_page(alice)
    page = Page(text)
    names = {name for name, _ in page.tags}
    attributes = {key for _, attrs in page.tags for key in attrs}
    (policy,) = (
        str(attrs["content"])
        for _, attrs in page.tags
        if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    inline = re.findall(r"<(?:style|script)[^>]*>(.*?)</(?:style|script)>", text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in inline]

    assert not names & {"img", "link", "iframe", "object", "a", "base", "svg", "video", "audio"}
    assert not {"src", "href", "style"} & attributes
    assert not [name for name in attributes if name.startswith("on")]
    assert [name for name, _ in page.tags].count("script") == 1
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digests[0]}'; script-src 'sha256-{digests[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_an_empty_page_is_whole(alice: Person) -> None:
    page = Page(alice.export(format="html")["payload"])

    assert page.parts == []
    assert ("main", {}) in page.tags
