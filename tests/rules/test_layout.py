"""The house of the tests: folders mirror the source, and tests lean on support alone."""

import ast
import re
from pathlib import Path

import pytest

_TESTS = Path(__file__).parents[1]
_SOURCE = _TESTS.parent / "src/memferry"
_PACKAGES = {file.parent.relative_to(_SOURCE) for file in _SOURCE.rglob("*.py")}
_BESIDE = {Path(name) for name in ("support", "simulation", "rules", "whole")}
_FILES = sorted(_TESTS.rglob("*.py"))
_HOOKS = re.compile(r"pytest_\w+")


def test_each_folder_mirrors_a_package_or_is_one_of_four() -> None:
    folders = {file.parent.relative_to(_TESTS) for file in _FILES if file.parent != _TESTS}

    assert folders <= _PACKAGES | _BESIDE


@pytest.mark.parametrize("file", _FILES, ids=lambda file: str(file.relative_to(_TESTS)))
def test_no_test_is_imported(file: Path) -> None:
    modules = set[str]()
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Import(names=names):
                modules.update(name.name for name in names)
            case ast.ImportFrom(module=str(module)):
                modules.add(module)

    assert not [module for module in modules if re.search(r"(^|\.)(test_|conftest)", module)]


def test_support_holds_no_test() -> None:
    support = [ast.parse(file.read_text()) for file in (_TESTS / "support").glob("*.py")]

    assert not list((_TESTS / "support").glob("test_*"))
    assert not [name for tree in support for name in _list_functions(tree) if "test_" in name[:5]]


def test_conftest_is_a_hundred_lines_of_fixtures_and_hooks() -> None:
    text = (_TESTS / "conftest.py").read_text()
    functions = _list_functions(ast.parse(text))

    assert len(text.splitlines()) <= 100
    assert all(
        "pytest.fixture" in decorators or _HOOKS.fullmatch(name)
        for name, decorators in functions.items()
    )


def _list_functions(tree: ast.Module) -> dict[str, str]:
    """The functions of a module with their decorators."""
    return {
        node.name: " ".join(map(ast.unparse, node.decorator_list))
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
