"""Readers of the export formats that share nothing with the code that writes them."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import zstandard

CSV_HEADER = "id,content,namespace,tags,source,source_ref,created_at,updated_at"


def read(file_format: str, data: bytes) -> list[dict[str, Any]]:
    """The memories of a file; raises if the file breaks a rule of its format."""
    text = data.decode("utf-8")
    if file_format == "csv":
        return _read_csv(text)
    if file_format == "ndjson":
        assert text == "" or text.endswith("\n")
        return [json.loads(line, parse_float=Decimal) for line in text.split("\n")[:-1]]
    rows: list[dict[str, Any]] = json.loads(text, parse_float=Decimal)
    return rows


def _read_csv(text: str) -> list[dict[str, Any]]:
    assert not text.startswith("\ufeff")
    assert text.split("\r\n", maxsplit=1)[0] == CSV_HEADER
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    for row in rows:
        row["tags"] = json.loads(row["tags"])
        row["created_at"], row["updated_at"] = int(row["created_at"]), int(row["updated_at"])
        row["source_ref"] = row["source_ref"] or None
    return rows


def write_csv(rows: list[dict[str, Any]]) -> bytes:
    """What the contract says a CSV of these rows is, written the plainest way."""
    records = [CSV_HEADER]
    for row in rows:
        tags = json.dumps(row["tags"], ensure_ascii=False, separators=(",", ":"))
        cells = [row["id"], row["content"], row["namespace"], tags, row["source"]]
        cells += [row["source_ref"] or "", str(row["created_at"]), str(row["updated_at"])]
        records.append(",".join(_cell(cell) for cell in cells))
    return "\r\n".join(records).encode()


def _cell(text: str) -> str:
    if any(char in text for char in '",\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


CODECS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
