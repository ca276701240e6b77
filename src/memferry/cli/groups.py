"""`memferry namespaces`, `threads` and `duplicates`: what groups memories."""

from typing import Annotated

import typer

from memferry.cli.connect import ServerName, open_client
from memferry.cli.output import AsJson, print_entries, print_memories, print_rows
from memferry.cli.times import show_minute

app = typer.Typer()

Limit = Annotated[int, typer.Option(help="How many, at most.", min=1)]
Namespace = Annotated[str | None, typer.Option(help="Only of this namespace.")]
_EMPTY = "there is no memory yet; save one: memferry save"


@app.command()
def namespaces(limit: Limit = 50, server: ServerName = None, as_json: AsJson = False) -> None:
    """List namespaces with their numbers of memories, the one that changed last first."""
    columns = {
        "namespace": lambda row: row.name,
        "memories": lambda row: row.count,
        "updated (UTC)": lambda row: show_minute(row.last_updated),
    }
    with open_client(server) as client:
        rows = client.namespaces.list(limit=limit)
        print_rows(rows, columns, as_json=as_json, empty=_EMPTY)


@app.command()
def threads(
    reference: Annotated[
        str | None, typer.Argument(metavar="[REF]", help="Show the memories of this thread.")
    ] = None,
    namespace: Namespace = None,
    limit: Limit = 50,
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """List conversations and documents, or the memories of one in their order."""
    columns = {
        "thread": lambda row: row.parent_ref,
        "title": lambda row: row.title,
        "size": lambda row: f"{row.count:,} in {row.namespace}, last {show_minute(row.last_at)}",
    }
    with open_client(server) as client:
        if reference is None:
            rows = client.threads.list(namespace=namespace, limit=limit)
            print_entries(rows, columns, as_json=as_json, empty=_EMPTY)
        else:
            chunks = client.threads.get(reference, limit=limit)
            empty = "there is no such thread; see: memferry threads"
            print_memories(chunks, as_json=as_json, empty=empty)


@app.command()
def duplicates(
    namespace: Namespace = None,
    limit: Limit = 50,
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """List groups of memories of equal content in one namespace, the oldest first."""
    columns = {
        "first (UTC)": lambda row: show_minute(row.first_at),
        "memories": lambda row: f"{row.count:,} in {row.namespace}",
        "ids": lambda row: row.ids,
    }
    with open_client(server) as client:
        rows = client.memories.list_duplicates(namespace=namespace, limit=limit)
        print_entries(rows, columns, as_json=as_json, empty="no two memories are equal")
