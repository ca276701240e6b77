"""`memferry audit`: who did what: of the tenant over HTTP, or of all for the operator."""

from pathlib import Path
from typing import Annotated

import typer

from memferry.cli.connect import ServerName, is_for_operator, open_client
from memferry.cli.options import DataDir, read_settings
from memferry.cli.output import AsJson, print_entries
from memferry.cli.times import show_minute
from memferry.model.audit import EVENTS

app = typer.Typer()


@app.command()
def audit(
    tenant: Annotated[
        str | None, typer.Option(help="Operators: only this tenant, of the database.")
    ] = None,
    event: Annotated[str | None, typer.Option(help=f"One of {', '.join(EVENTS)}.")] = None,
    limit: Annotated[int, typer.Option(help="How many entries, at most.", min=1)] = 100,
    data_dir: DataDir = None,
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """Print who did what, newest first.

    Of the token's tenant, as a table or as JSON. With --tenant or --data-dir, or where no server
    is known, of the database of this machine, as one JSON object per line.
    """
    if is_for_operator(server, tenant, data_dir):
        _print_of_database(limit, event, tenant, data_dir)
        return
    columns = {
        "at (UTC)": lambda row: show_minute(row.at),
        "event": lambda row: f"{row.event}  {row.outcome}",
        "subject": lambda row: row.subject,
        "address": lambda row: None if row.address is None else f"from {row.address}",
    }
    with open_client(server) as client:
        rows = client.audit.list(event=event, limit=limit)
        print_entries(rows, columns, as_json=as_json, empty="nothing happened yet")


def _print_of_database(
    limit: int, event: str | None, tenant: str | None, data_dir: Path | None
) -> None:
    from memferry.cli.context import call_operator

    settings = read_settings(data_dir)
    lines = call_operator(settings, lambda operator: operator.list_audit(limit, event, tenant))
    for line in lines:
        print(line)
