"""The pages hang together: links lead somewhere, and each page is found from the index."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP = [ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "SECURITY", "CONTRIBUTING")]
PAGES = [*TOP, *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs/decisions").glob("0*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_a_part_of_a_page_lead_to_its_heading(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*\.md)?#([^)]+)\)", page.read_text())

    assert [
        (name, anchor)
        for name, anchor in links
        if anchor not in list_anchors((page.parent / name) if name else page)
    ] == []


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    site = (ROOT / "docs/site.toml").read_text()
    pages = {str(page.relative_to(ROOT)) for page in PAGES if page not in DECISIONS}

    assert {name for name in pages if f'"{name}"' not in site} == set()


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/index.md").read_text()
    pages = {f"{page.name}" for page in (ROOT / "docs").glob("*.md")} - {"index.md"}

    assert pages == set(re.findall(r"\]\(([\w.-]+\.md)\)", index))


def test_every_decision_is_in_the_index_of_decisions_and_in_its_order() -> None:
    index = (ROOT / "docs/decisions/index.md").read_text()

    assert re.findall(r"^\| \[\d+\]\((.+?)\)", index, re.MULTILINE) == [
        page.name for page in DECISIONS
    ]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name)
def test_a_decision_has_its_five_parts(page: Path) -> None:
    parts = re.findall(r"^## (\w+)$", page.read_text(), re.MULTILINE)

    assert parts == ["Status", "Context", "Decision", "Rejected", "Consequences"]


def list_anchors(page: Path) -> set[str]:
    """Where a link can lead within a page: its headings in small letters, without punctuation."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
