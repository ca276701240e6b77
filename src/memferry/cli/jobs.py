"""`memferry jobs list|show|delete`: the exports and imports of a tenant."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from memferry.cli.connect import ServerName, open_client
from memferry.cli.output import AsJson, print_json, print_rows, tell
from memferry.cli.times import show_minute
from memferry.errors import ExportNotFound

if TYPE_CHECKING:
    from memferry.client import Client
    from memferry.client.export_handle import ExportHandle
    from memferry.client.imports import ImportHandle

app = typer.Typer(name="jobs", help="Exports and imports, running and done.", no_args_is_help=True)

JobId = Annotated[str, typer.Argument(metavar="ID", help="Of an export or an import (see: list).")]


@app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option(help="How many, at most.", min=1)] = 20,
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """List exports and imports together, newest first; as JSON without their payloads."""
    columns = {
        "id": lambda row: row.id,
        "job": lambda row: "import" if hasattr(row, "report") else f"export {row.format}",
        "status": lambda row: row.status,
        "memories": lambda row: row.row_count,
        "created (UTC)": lambda row: show_minute(row.created_at),
    }
    with open_client(server) as client:
        rows = list_newest(client, limit)
    empty = "there is no export and no import; make one: memferry export"
    print_rows(rows, columns, as_json=as_json, empty=empty)


@app.command()
def show(job_id: JobId, server: ServerName = None) -> None:
    """Print one export without its payload, or one import with its report, as JSON."""
    import msgspec

    with open_client(server) as client:
        answer: Any = _find(client, job_id).answer
    fields = msgspec.structs.asdict(answer)
    print_json([{name: value for name, value in fields.items() if name != "payload"}])


@app.command()
def delete(job_id: JobId, server: ServerName = None) -> None:
    """Cancel an export or import that is not finished; remove a finished one."""
    with open_client(server) as client:
        job = _find(client, job_id)
        job.delete()
    done = "cancelled" if job.answer.status in {"pending", "running"} else "removed"
    tell(f"{done} {job_id}")


def list_newest(client: "Client", limit: int) -> list[Any]:
    """The newest exports and imports, in one list."""
    rows: list[Any] = [*client.exports.list(limit=limit), *client.imports.list(limit=limit)]
    rows.sort(key=lambda row: (row.created_at, row.id), reverse=True)
    return list(islice(rows, limit))


def _find(client: "Client", job_id: str) -> "ExportHandle | ImportHandle":
    """Find an export or an import by its id; raises ImportNotFound if it is neither."""
    try:
        return client.exports.get(job_id)
    except ExportNotFound:
        return client.imports.get(job_id)
