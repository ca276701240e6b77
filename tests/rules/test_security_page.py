"""SECURITY.md: each threat names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THREATS = (ROOT / "SECURITY.md").read_text().partition("## Threats\n")[2].partition("\n## ")[0]
ITEMS = re.findall(r"^- (\*\*.+?)(?=^- |^#|\Z)", THREATS, re.MULTILINE | re.DOTALL)
NAMED = re.findall(r"`(tests/\w+/\w+\.py)::(\w+)`", THREATS)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.split("**")[1][:60])
def test_each_threat_names_a_test(item: str) -> None:
    assert re.search(r"`tests/\w+/\w+\.py::test_\w+`", item)


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[f"{each}" for _, each in NAMED])
def test_each_test_of_a_threat_exists(file: str, name: str) -> None:
    module = ast.parse((ROOT / file).read_text())
    tests = {
        each.name
        for each in module.body
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert name in tests


def test_every_section_of_the_security_page_lists_threats() -> None:
    sections = re.split(r"^### .*$", THREATS, flags=re.MULTILINE)[1:]

    assert len(sections) >= 6
    assert all("- **" in each for each in sections)
    assert len(ITEMS) == THREATS.count("\n- **")
