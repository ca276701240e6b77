"""Requests for every format with every set of the options that it takes."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from memferry.formats import FORMATS, TextFormat

_VALUES: Mapping[str, tuple[Any, ...]] = {
    "fields": (None, ["content", "source_ref", "metadata"]),
    "include": (None, ["history"]),
    "csv_metadata": (False, True),
    "csv_safe": (False, True),
}


def list_variants() -> list[dict[str, Any]]:
    """The bodies; an option of formats that has no values here is an error."""
    return [
        {"format": name, **dict(zip(sorted(format_.variants), values, strict=True))}
        for name, format_ in FORMATS.items()
        for values in product(*(_VALUES[option] for option in sorted(format_.variants)))
        # Former states hold all fields.
        if not (["history"] in values and len(values) - values.count(None) > 1)
    ]


def name_variant(body: object) -> str:
    """The words of a body, for the name of a test."""
    if not isinstance(body, dict):
        return str(body)
    return " ".join([body["format"], *(key for key in body if key != "format" and body[key])])


VARIANTS = list_variants()
TEXT_FORMATS = [name for name, format_ in FORMATS.items() if isinstance(format_, TextFormat)]
"""Those that an answer can hold."""
PLAIN_VARIANTS = [{"format": name} for name in FORMATS]
FULL_CSV = max(VARIANTS, key=lambda body: sum(map(bool, body.values())))
"""CSV with all of its options."""
TEXT_VARIANTS = [body for body in VARIANTS if body["format"] in TEXT_FORMATS]
