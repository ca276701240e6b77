"""Newline-delimited JSON: one memory per line, UTF-8, no header, no footer."""

from typing import LiteralString

from memferry.errors import Invalid
from memferry.formats.base import TextFormat
from memferry.formats.record_ends import LineEnds
from memferry.formats.variant import ALL_FIELDS, FIELDS, Variant, describe_missing

# Each field as JSON.
_VALUES: dict[LiteralString, LiteralString] = {
    "content": "as_json(content)",
    "namespace": "as_json(namespace)",
    "tags": "array_to_json(tags)",
    "source": "as_json(source)",
    "source_ref": "coalesce(as_json(source_ref), 'null')",
    "metadata": "coalesce(metadata, 'null')",
}

# Former states are JSON already. Those of an earlier life of the id have gone with it.
_HISTORY: LiteralString = """(
    SELECT string_agg(concat(
        '{"version":', version, ',"at":', changed_at, ',"kind":"', kind, '","former":', former, '}'
    ), ',' ORDER BY version)
    FROM changes WHERE changes.memory_id = memory.id AND former IS NOT NULL
)"""


def render_object(variant: Variant) -> LiteralString:
    """The SQL expression of one memory as a JSON object.

    The same bytes as row_to_json(memory), at less than three quarters of its cost: row_to_json
    looks up the type of every column and escapes its name, for each row anew. The key of an expiry
    stands only where there is one. Raises Invalid for fields with a history, which has all of them.
    """
    if variant.fields and variant.include:
        raise Invalid("include", "goes without fields: former states hold all of them")
    chosen = variant.fields or ALL_FIELDS
    pieces: list[LiteralString] = []
    before: LiteralString = "{"
    for field in FIELDS:
        if field in chosen:
            # An id is the only text that needs no escapes.
            quote: LiteralString = '"' if field == "id" else ""
            pieces += [f"""'{before}"{field}":{quote}'""", _VALUES.get(field, field)]
            before = f"{quote},"
    if end := before.removesuffix(","):
        pieces.append(f"'{end}'")
    if "expires_at" in chosen:
        # A text joined to null is null, and concat() passes over it.
        comma: LiteralString = "" if before == "{" else ","
        pieces.append(f"""'{comma}"expires_at":' || expires_at""")
    if variant.include:
        pieces += [""" ',"history":[' """, _HISTORY, "']'"]
    return f"""concat({", ".join(pieces)}, '}}')"""


def _make_ndjson(variant: Variant) -> TextFormat:
    return TextFormat(
        name="ndjson",
        extension="ndjson",
        media_type="application/x-ndjson",
        columns=render_object(variant),
        separator=b"\n",
        ends_with_separator=True,
        ends=LineEnds(),
        leaves_out=describe_missing(variant.fields or ALL_FIELDS),
        variants=frozenset({"fields", "include"}),
        make_variant=_make_ndjson,
    )


NDJSON = _make_ndjson(Variant())
"""JSON text holds no raw line break (RFC 8259, section 7), so each line is one memory."""
