"""The documentation says what the code does."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from typer.main import get_command

from memferry.cli import app
from memferry.errors import MemferryError
from memferry.formats import FORMATS
from memferry.http.errors import status_of
from memferry.model.export import ALLOWED_CHANGES
from memferry.settings import Settings

ROOT = Path(__file__).parent.parent
SETTINGS = (ROOT / "docs/settings.md").read_text()
ERRORS = (ROOT / "docs/errors.md").read_text()
EXPORTS = (ROOT / "docs/exports.md").read_text()
README = (ROOT / "README.md").read_text()


def errors(base: type[MemferryError] = MemferryError) -> Iterator[type[MemferryError]]:
    yield base
    for each in base.__subclasses__():
        if each.__module__ == "memferry.errors":
            yield from errors(each)


def test_every_setting_is_documented_and_no_other() -> None:
    documented = re.findall(r"^\| `(\w+)` \| .+? \| (.+) \|$", SETTINGS, re.MULTILINE)

    assert documented == [
        (each.metadata["name"], each.metadata["meaning"]) for each in fields(Settings)
    ]


@pytest.mark.parametrize("error", list(errors()), ids=lambda error: error.__name__)
def test_every_error_is_documented_with_its_status(error: type[MemferryError]) -> None:
    text = (error.__doc__ or "").strip()

    assert f"| `{error.code}` | {status_of(error)} | `{error.__name__}` | {text} |" in ERRORS


def test_codes_are_different() -> None:
    codes = [each.code for each in errors()]

    assert len(set(codes)) == len(codes)


def test_the_diagram_shows_the_allowed_changes() -> None:
    drawn = set(re.findall(r"^    (\w+) --> (\w+)", EXPORTS, re.MULTILINE))

    assert drawn == {(old, new) for old, many in ALLOWED_CHANGES.items() for new in many}


def test_every_format_is_documented() -> None:
    assert re.findall(r"^\| `(\w+)` \| ", EXPORTS, re.MULTILINE) == list(FORMATS)


def test_the_readme_names_every_command() -> None:
    command = get_command(app)
    names = command.commands  # type: ignore[attr-defined]  # typer's group has them

    for name in names:
        assert f"memferry {name}" in README


def test_links_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]

    for page in pages:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), (page.name, link)
