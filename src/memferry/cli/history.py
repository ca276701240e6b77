"""`memferry history` and `memferry restore`: the changes of a memory, and the way back."""

from typing import TYPE_CHECKING, Annotated

import typer

from memferry.cli.connect import ServerName, open_client
from memferry.cli.get import MemoryId
from memferry.cli.output import AsJson, print_entries, print_json, tell
from memferry.cli.times import show_minute

if TYPE_CHECKING:
    from memferry.wire.history import Change

app = typer.Typer()


@app.command()
def history(
    memory_id: MemoryId,
    limit: Annotated[int, typer.Option(help="How many changes, at most.", min=1)] = 50,
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """List the changes of a memory, oldest first, each with the text that it replaced.

    Example: memferry history 0198e3c0-7d2c-7a31-9c40-2f6f0a5d1b7e
    """
    columns = {
        "version": lambda row: row.version,
        "change": _describe,
        "former": lambda row: None if row.former is None else f"before: {row.former.content}",
    }
    with open_client(server) as client:
        rows = client.memories.list_history(memory_id, limit=limit)
        print_entries(rows, columns, as_json=as_json, empty="it has no history")


@app.command()
def restore(
    memory_id: MemoryId,
    version: Annotated[int, typer.Argument(help="The version to bring back (see: history).")],
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """Give a memory the state that it had as a former version.

    Example: memferry restore 0198e3c0-7d2c-7a31-9c40-2f6f0a5d1b7e 1
    """
    with open_client(server) as client:
        row = client.memories.restore(memory_id, version)
    if as_json:
        print_json([row])
    else:
        tell(f"{row.id} is again as it was as version {version}")


def _describe(change: "Change") -> str:
    """What happened, when, and by whom."""
    via = "" if change.via is None else f" by {change.via}"
    return f"{change.kind}{via}  {show_minute(change.at)}"
