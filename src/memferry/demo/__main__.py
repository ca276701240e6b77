"""`./run demo`: saves memories, exports them every way, checks each file, and brings one back."""

import csv
import hashlib
import io
import os
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec import Raw
from rich.console import Console
from rich.markup import escape

from memferry.cli.fetch import fetch_export
from memferry.client.calls import Call
from memferry.client.client import Client
from memferry.demo.page import prepare_page
from memferry.demo.round_trip import bring_back
from memferry.demo.service import DemoService, run_service
from memferry.demo.sources import read_locomo, read_sample

_QUEUED_ROWS = 10_001
_BATCH_ROWS = 5_000
_AT_ONCE = 8
_FORMATS = ("json", "ndjson", "csv")
_DOCUMENTS = ("markdown", "html", "paste")
"""For people and assistants, and for no program to count."""
_out = Console(highlight=False, soft_wrap=True)


def main(
    locomo_dir: Annotated[
        Path | None, typer.Option("--locomo", help="Load LoCoMo dialogues from here instead.")
    ] = None,
    rows: Annotated[
        int, typer.Option(help="How many rows the queued export has, at least.", min=_QUEUED_ROWS)
    ] = 50_000,
    directory: Annotated[
        Path, typer.Option(help="Where the files and the demo's own database go.")
    ] = Path(tempfile.gettempdir(), f"memferry-demo-{os.getuid()}"),
    stay: Annotated[
        bool, typer.Option("--stay", help="Leave the service running, with the page to look at.")
    ] = False,
) -> None:
    """Save memories, export them every way, bring them back, and check every byte."""
    started = time.monotonic()
    memories = read_sample() if locomo_dir is None else read_locomo(locomo_dir)
    files = directory / time.strftime("%Y%m%d-%H%M%S")
    files.mkdir(parents=True)
    directory.chmod(0o755)
    data = directory / "data"
    _out.print(f"Starting memferry (PostgreSQL, API, worker); its data is in {escape(str(data))}")
    with run_service(data) as service:
        with Client(service.url, service.create_token(service.name_tenant("demo"))) as client:
            _save(client, memories)
            _export_every_way(client, memories, files, rows)
        with Client(service.url, service.create_token(service.name_tenant("demo-away"))) as client:
            _bring_back(client, files / "queued.ndjson")
        _out.print(
            f"\nDone in {time.monotonic() - started:.1f} s. The files are in {escape(str(files))}"
        )
        if stay:
            _stay(service, memories)


def _export_every_way(client: Client, memories: list[Raw], files: Path, rows: int) -> None:
    _out.print("\n[bold]Small exports come back in the answer[/bold]")
    for name in (*_FORMATS, *_DOCUMENTS):
        _export(client, {"format": name, **_choose_small(memories)}, files / f"inline.{name}")
    _multiply(client, memories, rows)
    _out.print("\n[bold]Large exports are queued, written by a worker, downloaded[/bold]")
    for name in _FORMATS:
        _export(client, {"format": name}, files / f"queued.{name}")


def _bring_back(client: Client, file: Path) -> None:
    _out.print("\n[bold]An export comes back, into an empty tenant[/bold]")
    started = time.monotonic()
    rows = bring_back(client, file)
    _out.print(
        f"  [green]ok[/green] {escape(file.name)}: {rows:,} memories imported, a second import "
        "changed nothing, and a new export has the same bytes, "
        f"in {time.monotonic() - started:.1f} s"
    )


def _stay(service: DemoService, memories: list[Raw]) -> None:
    """Show the way to the page, and keep the service until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    invitation = prepare_page(service, memories)
    _out.print(
        "\n[bold]The page[/bold], with the sample. This link signs you in once, within 15 minutes:"
        f"\n\n  {escape(invitation.link)}\n\nLater, sign in with the token {invitation.token}"
        "\nCtrl-C ends it."
    )
    with suppress(KeyboardInterrupt):
        signal.pause()


def _save(client: Client, memories: list[Raw]) -> None:
    """Save each memory by a request of its own."""
    started = time.monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        calls = (Call("POST", "/api/memories", memory) for memory in memories)
        list(pool.map(lambda call: client.call(call, dict), calls))
    seconds = time.monotonic() - started
    namespaces = client.call(Call("GET", "/api/namespaces"), list)
    _out.print(
        f"Saved {len(memories):,} memories one a request in {seconds:.1f} s "
        f"({len(memories) / seconds:,.0f} a second), in {len(namespaces)} namespaces"
    )


def _choose_small(memories: list[Raw]) -> dict[str, Any]:
    """Choose a filter for an inline export: none if all memories fit, else the first namespace."""
    if len(memories) < _QUEUED_ROWS:
        return {}
    return {"namespace": msgspec.json.decode(memories[0])["namespace"]}


def _multiply(client: Client, memories: list[Raw], rows: int) -> None:
    """Save the same memories in bulk, again and again, until there are enough for the queue."""
    started, saved = time.monotonic(), 0
    missing = max(rows - len(memories), 0)
    while saved < missing:
        size = min(_BATCH_ROWS, missing - saved)
        items = [memories[(saved + index) % len(memories)] for index in range(size)]
        answer = client.call(Call("POST", "/v1/memories/bulk", {"items": items}), dict[str, Any])
        saved += answer["saved"]
    seconds = time.monotonic() - started
    _out.print(
        f"\nSaved {saved:,} more in bulk in {seconds:.1f} s ({saved / seconds:,.0f} a second)"
        if saved
        else "\nThere are enough memories for the queue already"
    )


def _export(client: Client, body: dict[str, Any], target: Path) -> None:
    """Run one export, and check the digest and the number of rows of its file."""
    started = time.monotonic()
    export = fetch_export(client, body, target)
    seconds = time.monotonic() - started
    data = target.read_bytes()
    rows = export.row_count if export.format in _DOCUMENTS else _count(export.format, data)
    if rows != export.row_count or hashlib.sha256(data).hexdigest() != export.sha256:
        raise SystemExit(f"{target} is not what was exported")
    _out.print(
        f"  [green]ok[/green] {escape(target.name)}: {rows:,} rows, SHA-256 as promised, "
        f"{len(data) / 1e6:.1f} MB in {seconds:.2f} s"
    )


def _count(file_format: str, data: bytes) -> int:
    """Count the memories in a file with a reader that is not ours."""
    if file_format == "ndjson":
        return sum(1 for line in data.split(b"\n") if line and msgspec.json.decode(line))
    if file_format == "json":
        return len(msgspec.json.decode(data))
    csv.field_size_limit(sys.maxsize)
    return sum(1 for _ in csv.reader(io.StringIO(data.decode(), newline=""))) - 1


if __name__ == "__main__":
    typer.run(main)
