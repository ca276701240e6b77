"""The way back: an export, imported into an empty tenant, is exported again byte for byte."""

import filecmp
from pathlib import Path

from memferry.cli.fetch import fetch_export
from memferry.client.client import Client
from memferry.errors import ImportNotCompleted
from memferry.wire.imports import ImportReport


def bring_back(client: Client, file: Path) -> int:
    """Import a file of NDJSON twice and export it again; answers the number of memories.

    Raises SystemExit if anything is lost, changed or doubled.
    """
    first, second = _import(client, file), _import(client, file)
    if (second.unchanged, second.created) != (first.created, 0):
        raise SystemExit(f"a second import of {file} changed something")
    returned = file.with_name(f"returned{file.suffix}")
    fetch_export(client, {"format": "ndjson"}, returned)
    if not filecmp.cmp(file, returned, shallow=False):
        raise SystemExit(f"{returned} is not what was imported from {file}")
    return first.created


def _import(client: Client, file: Path) -> ImportReport:
    try:
        return client.imports.from_file(file).wait().report
    except ImportNotCompleted as fault:
        raise SystemExit(f"{file}: {fault}") from fault
