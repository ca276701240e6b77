"""`memferry delete`: memories by their ids."""

from typing import Annotated

import typer

from memferry.cli.connect import ServerName, open_client
from memferry.cli.output import AsJson, print_json, tell

app = typer.Typer()

Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="Ids of memories (see: list).")]


@app.command()
def delete(
    ids: Ids,
    purge_exports: Annotated[
        bool,
        typer.Option("--purge-exports", help="Also remove stored exports that may hold them."),
    ] = False,
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """Delete memories for good; ends with 1 if one of the ids is not there.

    Example: memferry list --namespace old --json | jq -r .id | xargs memferry delete
    """
    deleted, missing = 0, list[str]()
    with open_client(server) as client:
        for start in range(0, len(ids), 500):
            result = client.memories.delete_many(
                ids[start : start + 500], purge_exports=purge_exports
            )
            deleted, missing = deleted + result.deleted, missing + result.missing
    if as_json:
        print_json([{"deleted": deleted, "missing": missing}])
    else:
        tell(f"deleted {deleted:,}")
        for name in missing:
            tell(f"not found: {name}")
    if missing:
        raise typer.Exit(1)
