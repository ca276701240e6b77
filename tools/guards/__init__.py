"""Guards: protections in the source that a test must miss when they are taken away."""

from guards.edits import (
    Edit,
    drop,
    drop_definition,
    drop_item,
    drop_statement,
    drop_text,
    make_false,
    make_true,
    replace,
    replace_text,
    set_item,
)
from guards.guard import Guard, guard_function, guard_schema, guard_statement, guard_tool

__all__ = [
    "Edit",
    "Guard",
    "drop",
    "drop_definition",
    "drop_item",
    "drop_statement",
    "drop_text",
    "guard_function",
    "guard_schema",
    "guard_statement",
    "guard_tool",
    "make_false",
    "make_true",
    "replace",
    "replace_text",
    "set_item",
]
