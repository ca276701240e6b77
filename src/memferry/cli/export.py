"""`memferry export`: create, wait, download, verify, and only then put the file in its place."""

from pathlib import Path
from typing import Annotated, Any

import typer

from memferry.cli.connect import ServerName
from memferry.cli.filter_options import add_filter_options, read_filters
from memferry.errors import Invalid
from memferry.files.compress import CODECS
from memferry.formats import FORMATS

app = typer.Typer()

Format = Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")]
Compression = Annotated[str | None, typer.Option(help=f"Compress the file: {' or '.join(CODECS)}.")]
Fields = Annotated[
    str | None,
    typer.Option(help="Only these fields of a memory, with commas between: id,content."),
]
Include = Annotated[
    str | None, typer.Option(help="With json or ndjson: history, the former states too.")
]
CsvMetadata = Annotated[
    bool, typer.Option("--csv-metadata", help="With csv: add the column metadata at the end.")
]
CsvSafe = Annotated[
    bool, typer.Option("--csv-safe", help="With csv: guard what a spreadsheet would run.")
]
EncryptTo = Annotated[str | None, typer.Option(help="Encrypt the file to this public key of age.")]
MaxPartBytes = Annotated[
    int | None,
    typer.Option(help="Cut a large export into files of at most so many bytes."),
]
Identity = Annotated[
    Path | None,
    typer.Option(help="Decrypt the file with the keys in this file, as age-keygen's."),
]
ExportId = Annotated[
    str | None,
    typer.Option("--id", help="Fetch this export, made before; goes on where it broke."),
]
Estimate = Annotated[
    bool, typer.Option("--estimate", help="Only say how many rows and bytes it would have.")
]
Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="The file to write; - for standard output."),
]


Manifest = Annotated[
    bool, typer.Option("--manifest", help="Save the signed manifest beside the file.")
]


@app.command()
@add_filter_options
def export(
    file_format: Format = "json",
    compression: Compression = None,
    fields: Fields = None,
    include: Include = None,
    csv_metadata: CsvMetadata = False,
    csv_safe: CsvSafe = False,
    encrypt_to: EncryptTo = None,
    max_part_bytes: MaxPartBytes = None,
    identity: Identity = None,
    export_id: ExportId = None,
    estimate: Estimate = False,
    output: Output = None,
    manifest: Manifest = False,
    server: ServerName = None,
    **filters: Any,
) -> None:
    """Export memories to a file that appears only when it is whole and verified.

    Ctrl-C cancels the export, or leaves a download to be resumed with --id.
    Examples: memferry export --format csv -o all.csv; memferry export --format ndjson -o - | jq
    """
    from memferry.cli.fetch import fetch, show_estimate

    request = {
        "format": file_format,
        "compression": compression,
        "fields": None if fields is None else fields.split(","),
        "include": None if include is None else include.split(","),
        "csv_metadata": csv_metadata or None,
        "csv_safe": csv_safe or None,
        "encrypt_to": encrypt_to,
        "max_part_bytes": max_part_bytes,
        **read_filters(filters),
    }
    if export_id is not None and any({**request, "format": None}.values()):
        raise Invalid("--id", "an export that exists has its filters already; drop them here")
    if identity is not None and export_id is None and encrypt_to is None:
        raise Invalid("--identity", "goes with --encrypt-to, or with --id")
    if estimate:
        if export_id is not None or output is not None:
            raise Invalid("--estimate", "makes no export; drop --id and --output")
        show_estimate(request, server)
    else:
        wanted = request if export_id is None else export_id
        fetch(wanted, output, identity, server, with_manifest=manifest)
