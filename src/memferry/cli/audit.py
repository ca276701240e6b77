"""`memferry audit`: the audit of all tenants or of one, for the operator."""

from typing import Annotated

import typer

from memferry.cli.options import DataDir, read_settings
from memferry.model.audit import EVENTS

app = typer.Typer()


@app.command()
def audit(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant.")] = None,
    event: Annotated[str | None, typer.Option(help=f"One of {', '.join(EVENTS)}.")] = None,
    limit: Annotated[int, typer.Option(help="How many entries, at most.", min=1)] = 100,
    data_dir: DataDir = None,
) -> None:
    """Print who did what, newest first, as one JSON object per line."""
    from memferry.cli.context import call_operator

    settings = read_settings(data_dir)
    lines = call_operator(settings, lambda operator: operator.list_audit(limit, event, tenant))
    for line in lines:
        print(line)
