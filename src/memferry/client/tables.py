"""Files of exports as tables of other libraries, each loaded when it is needed."""

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from memferry.errors import DownloadBroken, Invalid, NotInstalled
from memferry.formats import ALL_FIELDS
from memferry.wire.exports import ExportAnswer

FORMATS = ("parquet", "ndjson")
"""The formats that are read into tables."""
_EXTRAS = {"pyarrow": "'memferry[parquet]'"}
_EXPIRY = "expires_at"
_BATCH_ROWS = 10_000
_record = msgspec.json.Decoder(dict[str, Raw])


def check_tabular(export: ExportAnswer, *libraries: str) -> None:
    """Raise Invalid, which names the option, for an export that is not read into a table.

    Raises NotInstalled if one of the libraries is missing.
    """
    for name in libraries:
        load_library(name)
    if export.format not in FORMATS:
        formats = " or ".join(FORMATS)
        raise Invalid("format", f"a table is read from {formats}, and this is {export.format}")
    if export.encrypted:
        raise Invalid("encrypt_to", "an encrypted export is no table; download it with identities=")
    if export.compression is not None and export.payload is None:
        raise Invalid("compression", "a table is read from an export that is not compressed")


def load_library(name: str) -> Any:
    """Load a library; raises NotInstalled, which says how to install it."""
    try:
        return import_module(name)
    except ImportError as fault:
        package = _EXTRAS.get(name, name)
        raise NotInstalled(f"{name} is not installed: pip install {package}") from fault


def read_table(format_name: str, fields: Sequence[str] | None, paths: Sequence[Path]) -> Any:
    """Read files of one export into a pyarrow.Table; metadata is a column of JSON text.

    The columns are those of an export as Parquet, and `expires_at` if a memory has one. Raises
    DownloadBroken for a record that has another field.
    """
    arrow = load_library("pyarrow")
    if format_name == "parquet":
        parquet = load_library("pyarrow.parquet")
        return arrow.concat_tables([parquet.read_table(path) for path in paths])
    describe_column = load_library("memferry.formats.parquet_encoder").describe_column
    schema = arrow.schema([describe_column(name) for name in fields or ALL_FIELDS])
    batches = [
        arrow.RecordBatch.from_pylist(rows, schema)
        for rows in _split(_read_records(paths, frozenset(schema.names)))
    ]
    table = arrow.Table.from_batches(batches, schema)
    if fields is None and table[_EXPIRY].null_count == table.num_rows:
        return table.drop_columns([_EXPIRY])
    return table


def convert_to_pandas(table: Any) -> Any:
    """A pandas.DataFrame of the same columns."""
    return table.to_pandas()


def convert_to_polars(table: Any) -> Any:
    """A polars.DataFrame of the same columns."""
    return load_library("polars").from_arrow(table)


def convert_to_duckdb(table: Any, connection: Any) -> Any:
    """A relation of DuckDB on a connection, None: one of its own."""
    duckdb = load_library("duckdb")
    return (duckdb.connect() if connection is None else connection).from_arrow(table)


def _read_records(paths: Iterable[Path], names: frozenset[str]) -> Iterator[dict[str, Any]]:
    for path in paths:
        with path.open("rb") as file:
            for line in file:
                record = _record.decode(line)
                if others := record.keys() - names:
                    text = f"no column for {', '.join(sorted(others))}; take records()"
                    raise DownloadBroken(text)
                yield {name: _read_cell(name, value) for name, value in record.items()}


def _read_cell(name: str, value: Raw) -> Any:
    """A value as its column has it; metadata stays the text that it is, digit by digit."""
    text = bytes(value)
    if name == "metadata" and text != b"null":
        return text.decode()
    return msgspec.json.decode(text)


def _split(records: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    return iter(lambda: list(islice(records, _BATCH_ROWS)), [])
