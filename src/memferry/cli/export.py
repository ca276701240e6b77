"""`memferry export`: create, wait, download, verify, and only then put the file in its place."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Raw

from memferry.cli.times import read_epoch_ms
from memferry.errors import Invalid
from memferry.files.compress import CODECS
from memferry.formats import FORMATS

app = typer.Typer()

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


@app.command()
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
    from memferry.cli.fetch import fetch

    request = {
        "format": file_format,
        "compression": compression,
        "csv_safe": csv_safe or None,
        "encrypt_to": encrypt_to,
        "namespace": namespace,
        "tags": tag or None,
        "metadata_filter": None if metadata is None else _read_json_object(metadata),
        "created_after": read_epoch_ms("--created-after", created_after),
        "created_before": read_epoch_ms("--created-before", created_before),
    }
    if export_id is not None and any({**request, "format": None}.values()):
        raise Invalid("--id", "an export that exists has its filters already; drop them here")
    if identity is not None and export_id is None and encrypt_to is None:
        raise Invalid("--identity", "goes with --encrypt-to, or with --id")
    fetch(request if export_id is None else export_id, output, identity)


def _read_json_object(text: str) -> Raw:
    """Read the JSON object as typed, so that its numbers keep their digits."""
    try:
        msgspec.json.decode(text, type=dict[str, Raw])
    except (msgspec.MsgspecError, ValueError) as fault:
        raise Invalid("--metadata", "expected a JSON object") from fault
    return Raw(text.encode())
