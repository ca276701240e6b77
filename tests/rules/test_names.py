"""Names say what they are: a function is a verb phrase, a class name means one thing."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

_ROOT = Path(__file__).parents[2]
_PLACES = ("src", "tools", "benchmarks", "tests/support", "tests/simulation")
_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
# What no function begins with: a participle, an adverb or a preposition.
_VERBS = "apply bring embed exceed feed multiply need ping proceed reply seed"
_PARTICIPLES = (
    "chosen done found given gone held kept known left lost made said seen sent taken told written"
)
_OPENERS = (
    "after as at before beside by for from how in not of on still then to what whatever when where "
    "which while who whom whose with within without"
)
_WRONG = re.compile(
    rf"_*(?!({'|'.join(_VERBS.split())})(_|$))"
    rf"([a-z0-9]*(ed|ing|ly)|{'|'.join((*_PARTICIPLES.split(), *_OPENERS.split()))})(_|$)"
)
# What happened to a thing, in the place of its name.
_NAMELESS = frozenset(["each", "found", "made", "asked", "given", "told", "said", "kept", "seen"])
_VALUES = re.compile(r"property|fixture")
# Uvicorn and Starlette call these by name.
_CALLED_BY_A_LIBRARY = {"on_tick", "to_string", "_unsupported_upgrade_warning"}
# Programs look for these names, which their libraries use for the same.
_NAMED_BY_CUSTOM = {"from_file", "to_arrow", "to_duckdb", "to_pandas", "to_polars"}
# The client names what it brings as the service names what it hands out.
_TWICE = {"Download"}


def test_a_function_is_a_verb_phrase() -> None:
    wrong = {
        f"{path} {function.name}"
        for path, tree in _parse("**/*.py", *_PLACES)
        for function, owner in _list_functions(tree)
        if _is_wrong(function.name) and not _is_value(function, owner)
    }

    assert wrong == set()


def test_a_variable_is_named_for_its_thing() -> None:
    wrong = {
        f"{path} {node.id}"
        for path, tree in _parse("**/*.py", "src")
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        if node.id in _NAMELESS
    }

    assert wrong == set()


def test_a_class_name_means_one_thing() -> None:
    classes = Counter(
        node.name
        for _, tree in _parse("**/*.py", "src")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )

    assert {name for name, number in classes.items() if number > 1} == _TWICE


def _is_wrong(name: str) -> bool:
    return name not in _CALLED_BY_A_LIBRARY | _NAMED_BY_CUSTOM and _WRONG.match(name) is not None


def _is_value(function: _Function, owner: str) -> bool:
    """A property, a fixture, or a constructor of a value."""
    decorators = " ".join(map(ast.unparse, function.decorator_list))
    returns = ast.unparse(function.returns).strip("'") if function.returns else ""
    makes_own = bool(re.search(r"classmethod", decorators)) and returns in {"Self", owner}
    return makes_own or _VALUES.search(decorators) is not None


def _list_functions(tree: ast.AST, owner: str = "") -> Iterator[tuple[_Function, str]]:
    """All functions, each with the class that it belongs to."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, _Function):
            yield node, owner
        yield from _list_functions(node, node.name if isinstance(node, ast.ClassDef) else owner)


def _parse(pattern: str, *places: str) -> Iterator[tuple[str, ast.Module]]:
    for place in places:
        for file in sorted((_ROOT / place).glob(pattern)):
            yield str(file.relative_to(_ROOT)), ast.parse(file.read_text())
