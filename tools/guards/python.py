"""Edits of Python: places are nodes of the syntax tree, the rest of the file stays as it is."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from guards.edits import Edit, Span, UnclearPlace, choose_one

_Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Positioned: TypeAlias = ast.expr | ast.stmt | ast.keyword
_SIMPLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Raise, ast.Delete)


@dataclass(frozen=True)
class Place:
    """What an edit may change: where it begins, where it ends, and what it mentions."""

    first: _Positioned
    last: _Positioned
    words: frozenset[str]


_Finder: TypeAlias = Callable[[ast.AST], Iterator[Place]]


class Source:
    """The text of a module and its syntax tree."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self._lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def find_span(self, first: _Positioned, last: _Positioned | None = None) -> Span:
        """Where a node begins and ends, or a run of nodes."""
        last = first if last is None else last
        assert last.end_lineno is not None
        assert last.end_col_offset is not None
        return Span(
            self._find_offset(first.lineno, first.col_offset),
            self._find_offset(last.end_lineno, last.end_col_offset),
        )

    def _find_offset(self, line: int, column: int) -> int:
        # The syntax tree counts bytes of UTF-8.
        before = self._lines[line - 1].encode()[:column].decode()
        return self._starts[line - 1] + len(before)


def apply_to_python(text: str, name: str, edit: Edit) -> str:
    """The module without a protection of one function, class or constant.

    `name` is dotted: `Exports.create`. Raises UnclearPlace.
    """
    source = Source(text)
    scope = find_scope(source.tree, name)
    match edit.kind:
        case "drop_text" | "replace_text":
            return _find_text(source, scope, edit.place[0]).put(text, edit.new)
        case "replace":
            return _find_expression(source, scope, edit.place[0]).put(text, edit.new)
        case "drop_definition":
            return source.find_span(scope).put(text, "pass")
    span = find_place(source, scope, _FINDERS[edit.kind], edit.place)
    if edit.kind == "drop_item":
        comma = re.compile(r"\s*,").match(text, span.end)
        span = Span(span.start, comma.end() if comma else span.end)
    return span.put(text, _IN_ITS_PLACE.get(edit.kind, edit.new))


def find_scope(tree: ast.Module, name: str) -> ast.stmt:
    """The definition with a dotted name, or the assignment to it."""
    scope: ast.Module | ast.stmt = tree
    for part in name.split("."):
        match [child for child in _walk_own(scope) if _is_named(child, part)]:
            case [ast.stmt() as child]:
                scope = child
            case several:
                raise UnclearPlace(f"{name}: {len(several)} definitions of {part}")
    assert isinstance(scope, ast.stmt)
    return scope


def find_place(source: Source, scope: ast.AST, finder: _Finder, words: tuple[str, ...]) -> Span:
    """The innermost place that mentions all words; UnclearPlace unless there is exactly one."""
    places = (place for node in ast.walk(scope) for place in finder(node))
    spans = {
        source.find_span(place.first, place.last) for place in places if place.words >= set(words)
    }
    innermost = (
        span for span in spans if not any(span != other and span.holds(other) for other in spans)
    )
    return choose_one(innermost, " ".join(words))


def find_conditions(node: ast.AST) -> Iterator[Place]:
    """What decides: the test of a branch, an operand of and/or, a value that is returned."""
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield _place(test)
        case ast.BoolOp(values=values):
            yield from map(_place, values)
        case ast.comprehension(ifs=tests):
            yield from map(_place, tests)
        case ast.Return(value=ast.expr() as value):
            yield _place(value)


def find_statements(node: ast.AST) -> Iterator[Place]:
    """A statement that holds no other statement."""
    if isinstance(node, _SIMPLE):
        yield _place(node)


def find_items(node: ast.AST) -> Iterator[Place]:
    """What a call, a collection, a class or a `with` lists."""
    match node:
        case ast.Call(args=items, keywords=keywords) | ast.ClassDef(bases=items, keywords=keywords):
            yield from map(_place, items)
            yield from (Place(item, item, frozenset({str(item.arg)})) for item in keywords)
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            yield from map(_place, items)
        case ast.Dict(keys=keys, values=values):
            entries = zip(keys, values, strict=True)
            yield from (Place(key, value, list_words(key)) for key, value in entries if key)
        case ast.With(items=managers) | ast.AsyncWith(items=managers):
            yield from (_place(manager.context_expr) for manager in managers)


def find_values(node: ast.AST) -> Iterator[Place]:
    """What stands behind a key."""
    match node:
        case ast.keyword(arg=str(key), value=value):
            yield Place(value, value, frozenset({key}))
        case ast.Dict(keys=keys, values=values):
            entries = zip(keys, values, strict=True)
            yield from (Place(value, value, list_words(key)) for key, value in entries if key)


_FINDERS: dict[str, _Finder] = {
    "make_true": find_conditions,
    "make_false": find_conditions,
    "drop_statement": find_statements,
    "drop_item": find_items,
    "set_item": find_values,
}
_IN_ITS_PLACE = {
    "make_true": "True",
    "make_false": "False",
    "drop_statement": "pass",
}


def list_words(tree: ast.AST) -> frozenset[str]:
    """The identifiers and string constants of a node, its other constants as Python writes them."""
    words = set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.keyword(arg=str(word)):
                words.add(word)
            case ast.Constant(value=value):
                words.add(value if isinstance(value, str) else repr(value))
            case ast.AugAssign():
                words.add("+=")
    return frozenset(words)


def _place(node: _Positioned) -> Place:
    return Place(node, node, list_words(node))


def _walk_own(scope: ast.AST) -> Iterator[ast.AST]:
    """What a definition holds, without what definitions within it hold."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, _Definition):
            yield from _walk_own(child)


def _is_named(node: ast.AST, name: str) -> bool:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return node.name == name
        case ast.Assign(targets=[ast.Name(id=target)]) | ast.AnnAssign(target=ast.Name(id=target)):
            return target == name
    return False


def _find_expression(source: Source, scope: ast.AST, code: str) -> Span:
    sought = ast.dump(ast.parse(code, mode="eval").body)
    return choose_one(
        (
            source.find_span(node)
            for node in ast.walk(scope)
            if isinstance(node, ast.expr) and ast.dump(node) == sought
        ),
        code,
    )


def _find_text(source: Source, scope: ast.stmt, text: str) -> Span:
    literals = [
        source.find_span(node)
        for node in ast.walk(scope)
        if isinstance(node, ast.JoinedStr | ast.Constant)
    ]
    start = source.find_span(scope).start
    spans = (
        Span(*match.span()) for match in re.compile(re.escape(text)).finditer(source.text, start)
    )
    return choose_one(
        (span for span in spans if any(literal.holds(span) for literal in literals)), text
    )
