"""`memferry import`: send files, wait, and say what became of every record."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE…", help="Files and folders; - is standard input.")
]
Format = Annotated[
    str | None,
    typer.Option("--format", help="What the file is; unless given, its content tells."),
]
Namespace = Annotated[
    str | None,
    typer.Option(help="Where all records go; unless given, where they were."),
]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Added to each record; repeatable.")]
Conflict = Annotated[
    str,
    typer.Option(
        help="What becomes of a record whose memory is there and differs: skip, overwrite or "
        "new_ids."
    ),
]
OnError = Annotated[
    str, typer.Option(help="One bad record: abort leaves nothing, skip keeps the others.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be, and save nothing.")]
Timezone = Annotated[
    str | None, typer.Option(help="The zone of times that have none, such as Europe/Zurich.")
]
Per = Annotated[
    str | None, typer.Option(help="Chats: one memory per message, or per conversation.")
]
Branches = Annotated[
    bool, typer.Option("--branches", help="Chats: also what was edited away, tagged branch.")
]
Folders = Annotated[
    str | None, typer.Option(help="Markdown: a folder becomes a tag, the namespace, or none.")
]
Identity = Annotated[
    Path | None,
    typer.Option(help="Decrypt the files here with the keys in this file, as age-keygen's."),
]


@app.command("import")
def import_files(
    files: Files,
    file_format: Format = None,
    namespace: Namespace = None,
    tags: Tags = None,
    conflict: Conflict = "skip",
    on_error: OnError = "abort",
    dry_run: DryRun = False,
    timezone: Timezone = None,
    per: Per = None,
    branches: Branches = False,
    folders: Folders = None,
    identity: Identity = None,
) -> None:
    """Import files of memories, of memferry's or others'. Reads MEMFERRY_URL and MEMFERRY_TOKEN.

    Exits with 1 if the import has failed, or if a record was rejected.
    """
    from memferry.cli.send import send

    options = {
        "format": file_format,
        "namespace": namespace,
        "tags": tags,
        "conflict": conflict,
        "on_error": on_error,
        "dry_run": dry_run,
        "timezone": timezone,
        "per": per,
        "branches": branches,
        "folders": folders,
    }
    if not send(files, identity, options):
        raise typer.Exit(1)
