"""`memferry import`: send files, wait, and say what became of every record."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from memferry.cli.connect import ServerName
from memferry.cli.options import DataDir
from memferry.errors import Invalid

app = typer.Typer()

Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILE…", help="Files and folders; - is standard input."),
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
Address = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="postgresql://…",
        help="Operators: a table in the database of LangGraph, mem0 or Open WebUI, and no file.",
    ),
]
Table = Annotated[str | None, typer.Option(help="With --from: which table, if several could be.")]
Tenant = Annotated[str | None, typer.Option(help="With --from: whose memories they become.")]


@app.command("import")
def import_files(
    files: Files = None,
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
    address: Address = None,
    table: Table = None,
    tenant: Tenant = None,
    data_dir: DataDir = None,
    server: ServerName = None,
) -> None:
    """Import files of memories, of memferry's or others'.

    Ends with 1 if the import has failed, or if a record was rejected. Ctrl-C cancels it, and it
    leaves nothing. Example: memferry import conversations.zip --dry-run
    """
    options: dict[str, object] = {
        "namespace": namespace,
        "tags": tuple(tags or ()),
        "conflict": conflict,
        "on_error": on_error,
        "dry_run": dry_run,
        "timezone": timezone,
    }
    of_files: dict[str, object] = {
        "format": file_format,
        "per": per,
        "branches": branches,
        "folders": folders,
    }
    if address is not None:
        _refuse("with --from", {"FILE": files, "identity": identity, "server": server, **of_files})
        from memferry.cli.import_table import import_table

        good = import_table(address, table, tenant, options, data_dir)
    else:
        _refuse("without --from", {"table": table, "tenant": tenant, "data-dir": data_dir})
        from memferry.cli.send import send

        good = send(files or [], identity, options | of_files, server)
    if not good:
        raise typer.Exit(1)


def _refuse(when: str, values: Mapping[str, object]) -> None:
    """Raise Invalid for an argument that has no meaning here."""
    for name, value in values.items():
        if value:
            raise Invalid("FILE" if name == "FILE" else f"--{name}", f"has no meaning {when}")
