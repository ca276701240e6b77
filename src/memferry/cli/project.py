"""`memferry project list|create|edit|delete`: namespaces with a description."""

from typing import Annotated, Any

import typer

from memferry.cli.connect import ServerName, open_client
from memferry.cli.filter_options import read_json_object
from memferry.cli.output import AsJson, print_json, print_rows, tell
from memferry.cli.times import show_minute
from memferry.errors import Invalid

app = typer.Typer(
    name="project", help="Projects: namespaces with a description.", no_args_is_help=True
)

ProjectId = Annotated[str, typer.Argument(metavar="ID", help="The project's id (see: list).")]
Description = Annotated[str | None, typer.Option(help="What it is about.")]
Retention = Annotated[
    int | None,
    typer.Option("--retention-days", help="Memories saved in it expire after so many.", min=1),
]
Metadata = Annotated[str | None, typer.Option(help="A JSON object.")]


@app.command("list")
def list_projects(
    limit: Annotated[int, typer.Option(help="How many, at most.", min=1)] = 50,
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """List projects, the most recently active first; a namespace with memories is one."""
    columns = {
        "id": lambda row: row.id,
        "name": lambda row: row.name,
        "memories": lambda row: row.memory_count,
        "updated (UTC)": lambda row: show_minute(row.updated_at),
    }
    with open_client(server) as client:
        rows = client.projects.list(limit=limit)
        empty = "there is no project yet; create one: memferry project create NAME"
        print_rows(rows, columns, as_json=as_json, empty=empty)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Its name, which is its namespace.")],
    description: Description = None,
    metadata: Metadata = None,
    retention_days: Retention = None,
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """Create a project and print its id."""
    fields: Any = None if metadata is None else read_json_object("--metadata", metadata)
    with open_client(server) as client:
        project = client.projects.create(
            name, description=description, metadata=fields, retention_days=retention_days
        )
    if as_json:
        print_json([project])
    else:
        print(project.id)


@app.command()
def edit(
    project_id: ProjectId,
    name: Annotated[str | None, typer.Option(help="Rename it, and move its memories.")] = None,
    description: Description = None,
    metadata: Annotated[
        str | None, typer.Option(help="A JSON object to merge; null removes a key.")
    ] = None,
    retention_days: Retention = None,
    for_ever: Annotated[
        bool, typer.Option("--for-ever", help="Memories saved in it expire no more.")
    ] = False,
    archived: Annotated[
        bool | None, typer.Option("--archive/--restore", help="Archive it, or bring it back.")
    ] = None,
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """Change a project."""
    change: dict[str, Any] = {
        "name": name,
        "description": description,
        "metadata": None if metadata is None else read_json_object("--metadata", metadata),
        "archived": archived,
        "retention_days": retention_days,
    }
    with open_client(server) as client:
        fields = {field: value for field, value in change.items() if value is not None}
        if for_ever:
            fields["retention_days"] = None
        project = client.projects.update(project_id, **fields)
    if as_json:
        print_json([project])
    else:
        tell(f"changed {project.name}")


@app.command()
def delete(
    project_id: ProjectId,
    yes: Annotated[bool, typer.Option("--yes", help="Really delete it with all memories.")] = False,
    purge_exports: Annotated[
        bool,
        typer.Option("--purge-exports", help="Also remove stored exports that may hold them."),
    ] = False,
    server: ServerName = None,
) -> None:
    """Delete a project with all its memories, for good."""
    if not yes:
        raise Invalid("--yes", "needed, since nothing brings deleted memories back")
    with open_client(server) as client:
        client.projects.delete(project_id, purge_exports=purge_exports)
    tell("deleted the project and its memories")
