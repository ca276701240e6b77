"""Apache Parquet (https://parquet.apache.org/docs/file-format/): typed columns, in row groups.

PostgreSQL gathers each frame by columns: an id has always as many bytes, and so has a time; tags
are a line; of any other text there are its bytes and its length. The encoder joins frames into row
groups, and touches no value by itself.
"""

from collections.abc import Sequence
from functools import partial
from typing import LiteralString

from memferry.formats.base import BinaryFormat, Columns, Encoder
from memferry.formats.variant import ALL_FIELDS, FIELDS, TIMES, Variant, describe_missing

_CELLS: dict[LiteralString, LiteralString] = {
    "id": "id::text AS id",
    "content": "content",
    "namespace": "namespace",
    "tags": "array_to_json(tags)::text AS tags",
    "source": "source",
    "source_ref": "source_ref",
    "metadata": "metadata::text AS metadata",
    "created_at": "created_at",
    "updated_at": "updated_at",
    # A time that is not there is -1 on its way.
    "expires_at": "coalesce(expires_at, -1) AS expires_at",
}

# All others have some hundred bytes at most.
_LARGE = ("content", "tags", "source_ref", "metadata")


def _gather(field: LiteralString) -> LiteralString:
    """The aggregates of one column; a null has the length -1 and no bytes."""
    if field in TIMES:
        return f"string_agg(int8send({field}), '') FILTER (WHERE small)"
    if field == "tags":
        return r"string_agg(tags, e'\n') FILTER (WHERE small) || e'\n'"
    texts: LiteralString = f"string_agg({field}, '') FILTER (WHERE small)"
    if field == "id":
        return texts
    lengths = f"string_agg(int4send(coalesce(octet_length({field}), -1)), '')"
    return f"{lengths} FILTER (WHERE small), {texts}"


def _arrange(fields: Sequence[LiteralString]) -> Columns:
    large = [field for field in fields if field in _LARGE]
    return Columns(
        cells=", ".join(_CELLS[field] for field in fields),
        row_bytes=" + ".join(["0", *(f"coalesce(octet_length({field}), 0)" for field in large)]),
        frame=f"record_send(ROW({', '.join(map(_gather, fields))}))",
    )


def _start(fields: Sequence[str], most_bytes: int | None) -> Encoder:
    from memferry.formats.parquet_encoder import ParquetEncoder  # noqa: PLC0415 - an extra of 50 MB

    return ParquetEncoder(fields, most_bytes)


def _make_parquet(variant: Variant, most_bytes: int | None = None) -> BinaryFormat:
    fields = [field for field in ALL_FIELDS if field in (variant.fields or FIELDS)]
    return BinaryFormat(
        name="parquet",
        extension="parquet",
        media_type="application/vnd.apache.parquet",
        rows=_arrange(fields),
        start=partial(_start, fields, most_bytes),
        cut=partial(_make_parquet, variant),
        package="pyarrow",
        leaves_out=describe_missing(fields),
        variants=frozenset({"fields"}),
        make_variant=_make_parquet,
    )


PARQUET = _make_parquet(Variant())
"""One column for each field that every memory has."""
