"""`memferry export`: create, wait, download, verify, and only then put the file in its place."""

import hashlib
import os
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import httpx
import msgspec
import typer
from msgspec import Raw
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from memferry.cli.client import Client, ServiceRefused
from memferry.cli.context import settings_with
from memferry.errors import Invalid
from memferry.formats import FORMATS

_POLL_SECONDS = 0.25
_TRIES = 5


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def export(
        namespace: Annotated[str | None, typer.Option(help="Only this namespace.")] = None,
        tag: Annotated[
            list[str] | None, typer.Option(help="Has this tag; repeat for more.")
        ] = None,
        metadata: Annotated[
            str | None, typer.Option(help="Metadata contains this JSON object.")
        ] = None,
        created_after: Annotated[
            str | None, typer.Option(help="Created then or later: epoch ms or ISO 8601.")
        ] = None,
        created_before: Annotated[
            str | None, typer.Option(help="Created then or earlier: epoch ms or ISO 8601.")
        ] = None,
        file_format: Annotated[
            str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")
        ] = "json",
        output: Annotated[
            Path | None,
            typer.Option("-o", "--output", help="The file to write; - for standard output."),
        ] = None,
    ) -> None:
        """Export memories to a verified file. Reads MEMFERRY_URL and MEMFERRY_TOKEN."""
        body = {
            "format": file_format,
            "namespace": namespace,
            "tags": tag or None,
            "metadata_filter": None if metadata is None else _json_object(metadata),
            "created_after": epoch_ms("--created-after", created_after),
            "created_before": epoch_ms("--created-before", created_before),
        }
        with Client(settings_with()) as client:
            run_export(client, body, output)


def run_export(client: Client, body: dict[str, Any], output: Path | None) -> dict[str, Any]:
    """Create an export and bring its bytes to `output`; answers the finished export.

    Raises ServiceRefused when the export fails or its bytes do not have the promised digest.
    """
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[shown]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as progress:
        export = client.call("POST", "/api/memories/exports", body)
        export = _wait(client, export, progress)
        target = output or Path(f"memferry-{export['id']}.{FORMATS[export['format']].extension}")
        if str(target) == "-":
            _fetch(client, export, sys.stdout.buffer, progress)
            sys.stdout.buffer.flush()
        else:
            _fetch_to_file(client, export, target, progress)
    where = "standard output" if str(target) == "-" else str(target)
    Console(stderr=True).print(
        f"{export['row_count']:,} memories, {export['bytes_done']:,} bytes, "
        f"sha256 {export['sha256']} -> {where}",
        highlight=False,
        soft_wrap=True,
    )
    return export


def _wait(client: Client, export: dict[str, Any], progress: Progress) -> dict[str, Any]:
    task = progress.add_task("exporting", total=export["row_count"] or 1, shown="")
    path = f"/api/memories/exports/{export['id']}"
    while export["status"] in ("pending", "running"):
        _show_rows(progress, task, export["rows_done"], export["row_count"])
        time.sleep(_POLL_SECONDS)
        export = client.call("GET", path)
    if export["status"] != "completed":
        raise ServiceRefused(f"export {export['id']} failed: {export['error']}")
    _show_rows(progress, task, export["row_count"], export["row_count"])
    return export


def _show_rows(progress: Progress, task: TaskID, done: int, total: int) -> None:
    shown = f"{done:,} of {total:,} rows"
    progress.update(task, completed=done if total else 1, total=total or 1, shown=shown)


def _fetch_to_file(
    client: Client, export: dict[str, Any], target: Path, progress: Progress
) -> None:
    """Write to a temporary name beside the target, which appears only whole and verified."""
    partial = target.with_name(f".{target.name}.{export['id']}.partial")
    try:
        with partial.open("wb") as file:
            _fetch(client, export, file, progress)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as fault:
        raise Invalid("--output", f"cannot write {target}: {fault.strerror}") from fault
    finally:
        with suppress(OSError):
            partial.unlink()


def _fetch(client: Client, export: dict[str, Any], file: BinaryIO, progress: Progress) -> None:
    """Copy the bytes of a finished export; raises when they are not the promised ones."""
    digest = hashlib.sha256()
    if export["payload"] is not None:
        data = export["payload"].encode()
        digest.update(data)
        file.write(data)
    else:
        _download(client, export, file, digest, progress)
    if digest.hexdigest() != export["sha256"]:
        raise ServiceRefused("the downloaded bytes are not the exported ones (SHA-256 differs)")


def _download(
    client: Client, export: dict[str, Any], file: BinaryIO, digest: Any, progress: Progress
) -> None:
    """Download by link; a broken connection is taken up where it broke, by a fresh link."""
    task = progress.add_task("downloading", total=export["bytes_done"], shown="")
    done, tries = 0, 0
    while done < export["bytes_done"]:
        try:
            with client.download(export["download_url"], done) as answer:
                if answer.status_code != (206 if done else 200):
                    raise ServiceRefused(f"the download was answered with {answer.status_code}")
                for chunk in answer.iter_raw():
                    file.write(chunk)
                    digest.update(chunk)
                    done += len(chunk)
                    progress.update(task, completed=done, shown=decimal(done))
        except httpx.TransportError as fault:
            tries += 1
            if tries >= _TRIES:
                raise ServiceRefused(f"the download broke off: {fault}") from fault
            time.sleep(tries)
            export = client.call("GET", f"/api/memories/exports/{export['id']}")


def epoch_ms(option: str, text: str | None) -> int | None:
    """A time given as epoch milliseconds or in ISO 8601; without a zone it is UTC."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise Invalid(option, "expected epoch milliseconds or ISO 8601") from fault
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()) * 1000 + moment.microsecond // 1000


def _json_object(text: str) -> Raw:
    """The object as it was typed: its numbers keep their digits."""
    try:
        msgspec.json.decode(text, type=dict[str, Raw])
    except (msgspec.MsgspecError, ValueError) as fault:
        raise Invalid("--metadata", "expected a JSON object") from fault
    return Raw(text.encode())
