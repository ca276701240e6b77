"""JSON (RFC 8259): one array of memory objects; `[]` when there are none."""

from memferry.formats.base import TextFormat
from memferry.formats.ndjson import render_object
from memferry.formats.record_ends import LineEnds
from memferry.formats.variant import ALL_FIELDS, Variant, describe_missing


def _make_json(variant: Variant) -> TextFormat:
    return TextFormat(
        name="json",
        extension="json",
        media_type="application/json",
        columns=render_object(variant),
        head=b"[",
        separator=b",\n",
        tail=b"]",
        ends=LineEnds(),
        leaves_out=describe_missing(variant.fields or ALL_FIELDS),
        variants=frozenset({"fields", "include"}),
        make_variant=_make_json,
    )


JSON = _make_json(Variant())
"""The lines of NDJSON with commas between them, in brackets."""
