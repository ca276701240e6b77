"""`memferry export`: create, wait, download, verify, and only then put the file in its place."""

import secrets
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import typer
from msgspec import Raw
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from memferry.cli.client import Client, ServiceRefused
from memferry.cli.context import settings_with
from memferry.cli.decrypt import Identities, decrypt, decrypt_to_file, read_identities
from memferry.cli.download import fetch_to_file, fetch_to_stream
from memferry.errors import Invalid
from memferry.files.compress import CODECS
from memferry.files.encrypt import EXTENSION
from memferry.files.kind import file_name
from memferry.formats import FORMATS

_POLL_SECONDS = 0.25


Namespace = Annotated[str | None, typer.Option(help="Only this namespace.")]
Tags = Annotated[list[str] | None, typer.Option(help="Has this tag; repeat for more.")]
MetadataFilter = Annotated[str | None, typer.Option(help="Metadata contains this JSON object.")]
CreatedAfter = Annotated[
    str | None, typer.Option(help="Created then or later: epoch ms or ISO 8601.")
]
CreatedBefore = Annotated[
    str | None, typer.Option(help="Created then or earlier: epoch ms or ISO 8601.")
]
Format = Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")]
Compression = Annotated[str | None, typer.Option(help=f"Compress the file: {' or '.join(CODECS)}.")]
CsvSafe = Annotated[
    bool, typer.Option("--csv-safe", help="With csv: guard what a spreadsheet would run.")
]
EncryptTo = Annotated[str | None, typer.Option(help="Encrypt the file to this public key of age.")]
Identity = Annotated[
    Path | None,
    typer.Option(help="Decrypt the file with the keys in this file, as age-keygen's."),
]
ExportId = Annotated[
    str | None,
    typer.Option("--id", help="Fetch this export, made before; goes on where it broke."),
]
Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="The file to write; - for standard output."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    namespace: Namespace = None,
    tag: Tags = None,
    metadata: MetadataFilter = None,
    created_after: CreatedAfter = None,
    created_before: CreatedBefore = None,
    file_format: Format = "json",
    compression: Compression = None,
    csv_safe: CsvSafe = False,
    encrypt_to: EncryptTo = None,
    identity: Identity = None,
    export_id: ExportId = None,
    output: Output = None,
) -> None:
    """Export memories to a verified file. Reads MEMFERRY_URL and MEMFERRY_TOKEN."""
    body = {
        "format": file_format,
        "compression": compression,
        "csv_safe": csv_safe or None,
        "encrypt_to": encrypt_to,
        "namespace": namespace,
        "tags": tag or None,
        "metadata_filter": None if metadata is None else _json_object(metadata),
        "created_after": epoch_ms("--created-after", created_after),
        "created_before": epoch_ms("--created-before", created_before),
    }
    if export_id is not None and any({**body, "format": None}.values()):
        raise Invalid("--id", "an export that exists has its filters already; drop them here")
    if identity is not None and export_id is None and encrypt_to is None:
        raise Invalid("--identity", "goes with --encrypt-to, or with --id")
    identities = None if identity is None else read_identities(identity)
    with Client(settings_with()) as client:
        run_export(client, body if export_id is None else export_id, output, identities)


def run_export(
    client: Client,
    asked: dict[str, Any] | str,
    output: Path | None,
    identities: Identities | None = None,
) -> dict[str, Any]:
    """Create an export, or take one by its id, and bring its bytes to `output`; answers it.

    With identities, what is encrypted comes decrypted. Raises ServiceRefused when the export fails
    or its bytes do not have the promised digest.
    """
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[shown]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as progress:
        export = _wait(client, _begin(client, asked), progress)
        compression = asked.get("compression") if isinstance(asked, dict) else export["compression"]
        codec = CODECS.get(compression or "")
        if identities is not None and not export["encrypted"]:
            raise Invalid("--identity", f"export {export['id']} is not encrypted")
        sealed = export["encrypted"] and identities is None
        name = file_name(export["id"], FORMATS[export["format"]], codec, encrypted=sealed)
        target = output or Path(name)
        if identities is not None:
            _fetch_and_open(client, export, target, progress, identities)
        elif str(target) == "-":
            fetch_to_stream(client, export, sys.stdout.buffer, progress, compression)
        else:
            fetch_to_file(client, export, target, progress, compression)
    where = "standard output" if str(target) == "-" else str(target)
    Console(stderr=True).print(
        f"{export['row_count']:,} memories, {export['bytes_done']:,} bytes, "
        f"sha256 {export['sha256']} -> {where}",
        highlight=False,
        soft_wrap=True,
    )
    return export


def _fetch_and_open(
    client: Client,
    export: dict[str, Any],
    target: Path,
    progress: Progress,
    identities: Identities,
) -> None:
    """Bring the encrypted file, whole and verified, then decrypt it.

    It lies beside the target until then, and stays there when it cannot be decrypted.
    """
    if str(target) == "-":
        with tempfile.TemporaryFile() as file:
            fetch_to_stream(client, export, file, progress)
            file.seek(0)
            decrypt(file, sys.stdout.buffer, identities, export)
        return
    sealed = target.with_name(f"{target.name}.{EXTENSION}")
    fetch_to_file(client, export, sealed, progress)
    decrypt_to_file(sealed, target, identities, export)
    sealed.unlink()


def _begin(client: Client, asked: dict[str, Any] | str) -> dict[str, Any]:
    path = "/api/memories/exports"
    if isinstance(asked, str):
        found: dict[str, Any] = client.call("GET", f"{path}/{quote(asked, safe='')}")
        return found
    # The key makes it safe to ask again when the answer was lost.
    made: dict[str, Any] = client.call(
        "POST", path, asked, {"Idempotency-Key": secrets.token_urlsafe()}
    )
    return made


def _wait(client: Client, export: dict[str, Any], progress: Progress) -> dict[str, Any]:
    task = progress.add_task("exporting", total=export["row_count"] or 1, shown="")
    path = f"/api/memories/exports/{export['id']}"
    while export["status"] in ("pending", "running"):
        _show_rows(progress, task, export["rows_done"], export["row_count"])
        time.sleep(_POLL_SECONDS)
        export = client.call("GET", path)
    if export["status"] != "completed":
        raise ServiceRefused(_why(export))
    _show_rows(progress, task, export["row_count"], export["row_count"])
    return export


def _why(export: dict[str, Any]) -> str:
    text = f"export {export['id']} {export['status']}"
    if export["error"] is not None:
        text += f": {export['error']}"
    return text + ("; asking again may help" if export["retryable"] else "")


def _show_rows(progress: Progress, task: TaskID, done: int, total: int) -> None:
    shown = f"{done:,} of {total:,} rows"
    progress.update(task, completed=done if total else 1, total=total or 1, shown=shown)


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
