"""Statements that have lost a condition: a WHERE, a JOIN's ON, or one term of either."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache

import sqlglot
from sqlglot import exp

# What is done to a copy of the tree; the number says to which of its conditions.
_Cut = Callable[[exp.Expr], None]


@cache
def parse_statement(statement: str) -> exp.Expr:
    """The tree of one statement; whoever changes it copies it first."""
    return sqlglot.parse_one(statement, read="postgres")


def write_statement(tree: exp.Expr) -> str:
    """The statement a tree stands for."""
    return tree.sql(dialect="postgres", comments=False)


def list_relations(tree: exp.Expr) -> set[str]:
    """The tables and views a statement reads or writes, with their schema where it is given."""
    own = {each.alias for each in tree.find_all(exp.CTE)}
    named = {
        f"{each.db}.{each.name}" if each.db else each.name
        for each in tree.find_all(exp.Table)
        if isinstance(each.this, exp.Identifier)
    }
    return named - own


def bind_arguments(statement: str, arguments: Mapping[int, tuple[str, str]]) -> str:
    """The statement with (type, value) in the place of each parameter that it has left."""

    def bind(parameter: re.Match[str]) -> str:
        kind, value = arguments[int(parameter[1])]
        return write_statement(exp.cast(exp.Literal.string(value), kind, dialect="postgres"))

    return re.sub(r"\$(\d+)", bind, statement)


def make_mutants(tree: exp.Expr) -> Iterator[tuple[str, str]]:
    """Each with a name; also the whole, and the one that has lost everything.

    LIMIT and OFFSET are left out of all of them: they only hide rows.
    """
    whole = tree.copy()
    for limit in list(whole.find_all(exp.Limit, exp.Offset)):
        limit.pop()
    written = write_statement(whole)
    yield "whole", written
    seen = {written}
    for name, cut in _cuts(whole):
        mutant = whole.copy()
        cut(mutant)
        written = write_statement(mutant)
        if written not in seen:
            seen.add(written)
            yield name, written


def _cuts(whole: exp.Expr) -> Iterator[tuple[str, _Cut]]:
    for number, where in enumerate(whole.find_all(exp.Where)):
        yield f"without {write_statement(where)}", _cut_where(number)
    for number, join in enumerate(_joins(whole)):
        yield f"without ON {write_statement(join.args['on'])}", _cut_join(number)
    for number, pair in enumerate(whole.find_all(exp.And, exp.Or)):
        for dropped, kept in (("this", "expression"), ("expression", "this")):
            yield f"without {write_statement(pair.args[dropped])}", _cut_term(number, kept)
    yield "without any condition", _cut_all


def _joins(tree: exp.Expr) -> list[exp.Join]:
    return [join for join in tree.find_all(exp.Join) if join.args.get("on") is not None]


def _cut_where(number: int) -> _Cut:
    def cut(tree: exp.Expr) -> None:
        list(tree.find_all(exp.Where))[number].pop()

    return cut


def _cut_join(number: int) -> _Cut:
    def cut(tree: exp.Expr) -> None:
        _joins(tree)[number].set("on", exp.true())

    return cut


def _cut_term(number: int, kept: str) -> _Cut:
    def cut(tree: exp.Expr) -> None:
        pair = list(tree.find_all(exp.And, exp.Or))[number]
        pair.replace(pair.args[kept])

    return cut


def _cut_all(tree: exp.Expr) -> None:
    while (where := tree.find(exp.Where)) is not None:
        where.pop()
    for join in _joins(tree):
        join.set("on", exp.true())
