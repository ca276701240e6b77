"""`memferry save`: one memory, from an argument or from standard input."""

import sys
from typing import Annotated, Any

import typer

from memferry.cli.connect import ServerName, open_client
from memferry.cli.filter_options import read_json_object
from memferry.cli.output import AsJson, print_json
from memferry.cli.times import read_epoch_ms
from memferry.errors import Invalid

app = typer.Typer()

Content = Annotated[
    str | None, typer.Argument(metavar="[TEXT]", help="The memory; - or none: standard input.")
]


@app.command()
def save(
    content: Content = None,
    namespace: Annotated[
        str | None, typer.Option(help="Where it goes; default, if not given.")
    ] = None,
    tags: Annotated[list[str] | None, typer.Option("--tag", help="A tag; repeat for more.")] = None,
    metadata: Annotated[str | None, typer.Option(help="A JSON object.")] = None,
    source: Annotated[str, typer.Option(help="The program that it comes from.")] = "cli",
    source_ref: Annotated[
        str | None, typer.Option(help="What it is called there; equal ones are a thread.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="Its last moment: epoch milliseconds or ISO 8601.")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Keep the line break at the end of standard input.")
    ] = False,
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """Save one memory and print its id.

    Examples: memferry save "Likes tea." --namespace drinks --tag taste; pbpaste | memferry save
    """
    text = _read_input(exact=exact) if content in {None, "-"} else content
    fields: dict[str, Any] = {
        "namespace": namespace,
        "tags": tags,
        "metadata": None if metadata is None else read_json_object("--metadata", metadata),
        "source": source,
        "source_ref": source_ref,
        "expires_at": read_epoch_ms("--expires", expires),
    }
    with open_client(server) as client:
        row = client.memories.save(text or "", **fields)
    if as_json:
        print_json([row])
    else:
        print(row.id)


def _read_input(*, exact: bool) -> str:
    """Read standard input; the line break that ends it is not part of the memory."""
    if sys.stdin.isatty():
        raise Invalid("TEXT", 'give the memory: memferry save "Likes tea." (or pipe it in)')
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as fault:
        raise Invalid("TEXT", f"standard input is not UTF-8 at byte {fault.start}") from fault
    return text if exact else text.removesuffix("\n").removesuffix("\r")
