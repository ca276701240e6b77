"""Filters on values: equality and comparisons, with the meaning that JSON has in PostgreSQL.

A field that is missing matches nothing, not even `$ne`. Numbers compare with numbers, texts with
texts by code point; `true` is no number.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from memferry.errors import Invalid
from memferry.integrations.langgraph.items import is_short

_Compare: TypeAlias = Callable[[Any, Any], bool]
_MISSING = object()
# The service refuses filters with more keys than 100, and these are some of them.
_SENT_FIELDS = 50


def check_filter(filters: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Check a filter; raises Invalid for an operator that is not known."""
    for field, condition in (filters or {}).items():
        for operator, operand in _list_conditions(condition):
            if operator not in _OPERATORS:
                known = ", ".join(_OPERATORS)
                raise Invalid("filter", f"{field}: {operator} is none of {known}")
            if operator in _ORDERS and _find_order(operand) is None:
                raise Invalid("filter", f"{field}: {operator} takes a number or a text")
    return filters or {}


def matches(value: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    """Whether a value has all fields as the filter wants them."""
    return all(
        _OPERATORS[operator](value.get(field, _MISSING), operand)
        for field, condition in filters.items()
        for operator, operand in _list_conditions(condition)
    )


def list_short_fields(filters: Mapping[str, Any]) -> dict[str, Any]:
    """List the fields that must be equal to a short value: those the service looks up itself."""
    equal = {
        field: operand
        for field, condition in filters.items()
        for operator, operand in _list_conditions(condition)
        if operator == "$eq" and is_short(field, operand)
    }
    return dict(list(equal.items())[:_SENT_FIELDS])


def _list_conditions(condition: Any) -> list[tuple[str, Any]]:
    """List operators with their operands; any other value is to be equal."""
    if isinstance(condition, Mapping) and any(str(key).startswith("$") for key in condition):
        return list(condition.items())
    return [("$eq", condition)]


def _is_equal(value: Any, operand: Any) -> bool:
    """Whether two JSON values are equal; for Python, true is 1."""
    if isinstance(value, bool) or isinstance(operand, bool):
        return value is operand
    if isinstance(value, Mapping) and isinstance(operand, Mapping):
        return value.keys() == operand.keys() and all(
            _is_equal(value[key], operand[key]) for key in value
        )
    if isinstance(value, list) and isinstance(operand, list | tuple):
        return len(value) == len(operand) and all(map(_is_equal, value, operand))
    return bool(value == operand)


def _is_unequal(value: Any, operand: Any) -> bool:
    return value is not _MISSING and not _is_equal(value, operand)


def _find_order(value: Any) -> type | None:
    """Within which type a value is ordered."""
    if isinstance(value, str):
        return str
    return float if isinstance(value, int | float) and not isinstance(value, bool) else None


def _compare_by(compare: _Compare) -> _Compare:
    def compare_alike(value: Any, operand: Any) -> bool:
        return _find_order(value) is _find_order(operand) and compare(value, operand)

    return compare_alike


_ORDERS: Mapping[str, _Compare] = {
    "$gt": _compare_by(lambda value, operand: value > operand),
    "$gte": _compare_by(lambda value, operand: value >= operand),
    "$lt": _compare_by(lambda value, operand: value < operand),
    "$lte": _compare_by(lambda value, operand: value <= operand),
}
_OPERATORS: Mapping[str, _Compare] = {"$eq": _is_equal, "$ne": _is_unequal, **_ORDERS}
