"""`memferry edit`: change one memory, by options or in an editor."""

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from memferry.cli.connect import ServerName, open_client
from memferry.cli.filter_options import read_json_object
from memferry.cli.get import MemoryId
from memferry.cli.options import read_settings
from memferry.cli.output import AsJson, print_json, tell
from memferry.cli.times import read_epoch_ms
from memferry.errors import Invalid, MemferryError, Misconfigured

if TYPE_CHECKING:
    from memferry.client import Client
    from memferry.wire.memories import MemoryRow

app = typer.Typer()


@app.command()
def edit(
    memory_id: MemoryId,
    content: Annotated[str | None, typer.Option(help="The new text.")] = None,
    namespace: Annotated[str | None, typer.Option(help="Move it there.")] = None,
    tags: Annotated[
        list[str] | None, typer.Option("--tag", help="Replace all tags; repeat for more.")
    ] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Remove all tags.")] = False,
    metadata: Annotated[
        str | None, typer.Option(help="A JSON object to merge; null removes a key.")
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(help="Its last moment: epoch milliseconds or ISO 8601; never: it has none."),
    ] = None,
    server: ServerName = None,
    as_json: AsJson = False,
) -> None:
    """Change one memory; without options its text is opened in $VISUAL or $EDITOR.

    Example: memferry edit 0198e3c0-7d2c-7a31-9c40-2f6f0a5d1b7e --tag taste
    """
    change: dict[str, Any] = {
        "content": content,
        "namespace": namespace,
        "tags": [] if no_tags else tags or None,
        "metadata": None if metadata is None else read_json_object("--metadata", metadata),
    }
    change = {name: value for name, value in change.items() if value is not None}
    if expires is not None:
        change["expires_at"] = None if expires == "never" else read_epoch_ms("--expires", expires)
    with open_client(server) as client:
        row = client.memories.update(memory_id, **change) if change else _edit(client, memory_id)
    if as_json:
        print_json([row])
    else:
        tell(f"changed {row.id}")


def _edit(client: "Client", memory_id: str) -> "MemoryRow":
    """Let a person edit the text; what was edited stays in its file unless it is saved."""
    if not sys.stdin.isatty():
        raise Invalid("--content", "needed without a terminal; or another option: see --help")
    row = client.memories.get(memory_id)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False, newline="") as file:
        file.write(row.content)
    path = Path(file.name)
    try:
        saved = _save_edited(client, row, _open_editor(path, row.content))
    except MemferryError as fault:
        raise MemferryError(f"{fault}; the text is in {path}") from fault
    path.unlink()
    return saved


def _save_edited(client: "Client", row: "MemoryRow", text: str) -> "MemoryRow":
    """Save the text unless it is the same, or the memory is not what was opened any more."""
    if text == row.content:
        return row
    if client.memories.get(row.id).updated_at != row.updated_at:
        raise MemferryError("somebody has changed the memory meanwhile; look at it and edit again")
    return client.memories.update(row.id, content=text)


def _open_editor(path: Path, before: str) -> str:
    """Open the editor and read the text after it; the line break that editors add is left out."""
    editor = read_settings().client.chosen_editor
    try:
        command = [*shlex.split(editor), str(path)]
        status = subprocess.run(command, check=False).returncode  # noqa: S603 - the person's own
    except (OSError, ValueError) as fault:
        raise Misconfigured(f"cannot run the editor {editor}: {fault}; set EDITOR") from fault
    if status != 0:
        raise MemferryError(f"the editor {editor} ended with status {status}")
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as fault:
        raise Invalid("TEXT", f"it is not UTF-8 at byte {fault.start}") from fault
    return text if before.endswith("\n") else text.removesuffix("\n")
