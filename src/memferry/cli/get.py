"""`memferry get`: one memory with all its fields."""

from typing import TYPE_CHECKING, Annotated

import typer

from memferry.cli.connect import ServerName, open_client
from memferry.cli.console import open_standard_output
from memferry.cli.output import AsJson, print_fields, print_json, print_line
from memferry.cli.times import show_time

if TYPE_CHECKING:
    from memferry.wire.memories import MemoryRow

app = typer.Typer()

MemoryId = Annotated[str, typer.Argument(metavar="ID", help="The memory's id (see: list, search).")]


@app.command()
def get(
    memory_id: MemoryId,
    raw: Annotated[
        bool, typer.Option("--raw", help="Print the text alone, byte for byte.")
    ] = False,
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """Print one memory.

    Example: memferry get 0198e3c0-7d2c-7a31-9c40-2f6f0a5d1b7e --raw > memory.txt
    """
    with open_client(server) as client:
        row = client.memories.get(memory_id)
    if as_json:
        print_json([row])
    elif raw:
        with open_standard_output() as stream:
            stream.write(row.content.encode())
    else:
        _print_memory(row)


def _print_memory(row: "MemoryRow") -> None:
    from msgspec import UNSET

    from memferry.client.exact_json import encode_exact

    print_fields(
        {
            "id": row.id,
            "namespace": row.namespace,
            "tags": row.tags or None,
            "source": row.source,
            "source_ref": row.source_ref,
            "metadata": None if row.metadata is None else encode_exact(row.metadata).decode(),
            "created": show_time(row.created_at),
            "updated": show_time(row.updated_at),
            "expires": None if row.expires_at is UNSET else show_time(row.expires_at),
        }
    )
    print()
    for line in row.content.splitlines():
        print_line(line)
