"""A folder with what the examples of the pages name: files, and other people's programs."""

import json
import sys
import zipfile
from pathlib import Path

from support.imports import make_row, write_ndjson

_CHAT = {
    "id": "c-1",
    "title": "Lemons",
    "create_time": 1_714_000_000,
    "update_time": 1_714_000_009,
    "current_node": "m-1",
    "mapping": {
        "root": {"id": "root", "message": None, "parent": None},
        "m-1": {
            "id": "m-1",
            "parent": "root",
            "children": [],
            "message": {
                "id": "m-1",
                "author": {"role": "user"},
                "recipient": "all",
                "create_time": 1_714_000_001,
                "content": {"content_type": "text", "parts": ["How long do lemons keep?"]},
                "metadata": {},
            },
        },
    },
}
_MEM0 = {"id": "1", "memory": "Likes tea.", "created_at": "2026-01-02T03:04:05Z"}
_ENTITY = {"type": "entity", "name": "Ada", "entityType": "person", "observations": ["Likes tea."]}
# What a machine may lack, with as much of its behaviour as the pages need.
_PROGRAMS = {
    "claude": "#!/bin/sh\nexit 0\n",
    "ssh": '#!/bin/sh\nshift\nexec "$@"\n',
    "pbpaste": "#!/bin/sh\necho pasted\n",
    "age-keygen": f"""#!{sys.executable}
import pathlib, pyrage, sys
identity = pyrage.x25519.Identity.generate()
pathlib.Path(sys.argv[2]).write_text(f"{{identity}}\\n")
pathlib.Path("recipient").write_text(str(identity.to_public()))
""",
}


def fill_folder(folder: Path) -> None:
    """Write the files that pages import."""
    with zipfile.ZipFile(folder / "conversations.zip", "w") as archive:
        archive.writestr("conversations.json", json.dumps([_CHAT]))
    (folder / "mem0.json").write_text(json.dumps({"results": [_MEM0]}))
    (folder / "memory.jsonl").write_text(f"{json.dumps(_ENTITY)}\n")
    (folder / "memories.ndjson").write_bytes(write_ndjson(make_row("one"), make_row("two")))
    (folder / "note.txt").write_text("A note.\n")
    (folder / "notes").mkdir()
    (folder / "notes" / "boat.md").write_text("# Boat\n\nThe ferry leaves at nine.\n")


def add_programs(folder: Path) -> None:
    """Write the programs of others into a folder, for PATH."""
    folder.mkdir()
    for name, text in _PROGRAMS.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
