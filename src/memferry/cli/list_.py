"""`memferry list`: memories by filters, those that were changed last first."""

from typing import Annotated, Any

import typer

from memferry.cli.connect import ServerName, open_client
from memferry.cli.filter_options import add_filter_options, read_filters
from memferry.cli.output import AsJson, print_memories
from memferry.filters.orders import ORDERS

app = typer.Typer()


@app.command("list")
@add_filter_options
def list_memories(
    limit: Annotated[int, typer.Option(help="How many, at most.", min=1)] = 50,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    order: Annotated[str | None, typer.Option(help=f"One of {', '.join(ORDERS)}.")] = None,
    server: ServerName = None,
    as_json: AsJson = False,
    **filters: Any,
) -> None:
    """List memories that match all filters, those that were changed last first.

    Examples: memferry list --namespace drinks; memferry list --all --json | jq -r .content
    """
    chosen: Any = read_filters(filters)
    with open_client(server) as client:
        rows = client.memories.list(order=order, limit=None if everything else limit, **chosen)
        print_memories(rows, as_json=as_json, empty="no memory matches; save one: memferry save")
