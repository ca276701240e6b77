"""Variants of formats: what the options of a request change in the records of a file."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import LiteralString

from memferry.errors import Invalid

FIELDS: tuple[LiteralString, ...] = (
    "id",
    "content",
    "namespace",
    "tags",
    "source",
    "source_ref",
    "metadata",
    "created_at",
    "updated_at",
)
"""The fields that every memory has, in the order of a memory object."""
ALL_FIELDS: tuple[LiteralString, ...] = (*FIELDS, "expires_at")
"""These, and the one that only memories have which expire."""
TIMES = ("created_at", "updated_at", "expires_at")
"""Those that are times, in epoch milliseconds; all others are texts, or tags."""


INCLUDED = ("history",)
"""What the rows of an export can hold beside the fields of a memory."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """The options that change records, each a field of a request; by default none of them does."""

    fields: Collection[str] = ()
    """The only fields of a memory in the file; empty: all that the format holds."""
    include: Collection[str] = ()
    """What rows hold beside their fields."""
    csv_metadata: bool = False
    """Whether a CSV has a column of metadata."""
    csv_safe: bool = False
    """Whether a CSV has guards before whatever a spreadsheet would run."""


def check_fields(option: str, names: list[str]) -> list[str]:
    """The names in the order of a memory object; raises Invalid that names the option."""
    if not names:
        raise Invalid(option, "names no field; leave it out for all of them")
    if not set(names) <= set(ALL_FIELDS):
        raise Invalid(option, f"names an unknown field; expected some of {', '.join(ALL_FIELDS)}")
    if len(set(names)) < len(names):
        raise Invalid(option, "names a field twice")
    return [name for name in ALL_FIELDS if name in names]


def check_included(option: str, names: list[str]) -> list[str]:
    """The names, each once; raises Invalid that names the option."""
    if not names:
        raise Invalid(option, "names nothing; leave it out")
    if not set(names) <= set(INCLUDED):
        raise Invalid(option, f"names something unknown; expected {', '.join(INCLUDED)}")
    if len(set(names)) < len(names):
        raise Invalid(option, "names something twice")
    return names


def describe_missing(present: Iterable[str]) -> str:
    """Say which fields of a memory a file with these fields leaves out; empty for none."""
    missing = [name for name in ALL_FIELDS if name not in set(present)]
    return f"It holds no {', '.join(missing)}." if missing else ""
