"""`memferry search`: memories by words, best first."""

from typing import Annotated, Any

import typer

from memferry.cli.connect import ServerName, open_client
from memferry.cli.filter_options import add_filter_options, read_filters
from memferry.cli.output import AsJson, print_memories

app = typer.Typer()


@app.command()
@add_filter_options
def search(
    words: Annotated[list[str], typer.Argument(help="Any shared word finds a memory.")],
    hits: Annotated[int, typer.Option("--limit", help="How many.", min=1, max=100)] = 10,
    prefix: Annotated[
        bool, typer.Option("--prefix", help="The words are beginnings of words.")
    ] = False,
    server: ServerName = None,
    as_json: AsJson = False,
    **filters: Any,
) -> None:
    """Find memories by words, best first, among those that match all filters.

    Example: memferry search green tea --namespace drinks
    """
    chosen: Any = read_filters(filters)
    with open_client(server) as client:
        rows = client.memories.search(" ".join(words), k=hits, prefix=prefix, **chosen)
    empty = "nothing found; fewer or other words, or --prefix, may find it"
    print_memories(rows, as_json=as_json, empty=empty)
