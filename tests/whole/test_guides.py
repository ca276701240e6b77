"""The guides do what they say: their commands run as they stand, in their order."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.page_folder import fill_folder
from support.people import Person

GUIDES = Path(__file__).parents[2] / "docs/guides.md"
_SECTIONS = re.split(r"^## ", GUIDES.read_text(), flags=re.MULTILINE)[1:]
_COMMANDS = {
    title: "\n".join(re.findall(r"^    (\S.*)$", text, re.MULTILINE))
    for title, _, text in (section.partition("\n") for section in _SECTIONS)
}


def follow(title: str, place: Path, alice: Person, bob: Person) -> str:
    """Run the commands of a guide in a folder that has the files it names; what they print."""
    fill_folder(place)
    own = {
        "MEMFERRY_URL": str(alice.base_url),
        "MEMFERRY_TOKEN": alice.token,
        "OTHER_TOKEN": bob.token,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", _COMMANDS[title]],
        cwd=place,
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_backup_comes_back_with_its_history(alice: Person, bob: Person, tmp_path: Path) -> None:
    row = alice.save("Likes tea.", namespace="ada")
    alice.patch(f"/api/memories/{row['id']}", json={"content": "Likes coffee."})
    follow("Back up, and bring it back", tmp_path, alice, bob)
    body = {"format": "ndjson", "include": ["history"]}

    assert bob.export(**body)["payload"] == alice.export(**body)["payload"]


def test_a_person_gets_their_data_alone(alice: Person, bob: Person, tmp_path: Path) -> None:
    alice.save("=1+1", namespace="ada", metadata={"kind": "sum"})
    alice.save("of somebody else", namespace="ben")
    follow("Hand a person their data", tmp_path, alice, bob)
    page, table = (tmp_path / "ada.html").read_text(), (tmp_path / "ada.csv").read_text()

    assert "=1+1" in page
    assert "'=1+1" in table
    assert "sum" in table
    assert "somebody else" not in page + table


def test_what_others_have_kept_moves_in_once(alice: Person, bob: Person, tmp_path: Path) -> None:
    follow("Move from ChatGPT, Claude, mem0 or a folder of notes", tmp_path, alice, bob)
    rows = alice.get("/api/memories").json()

    assert sorted(row["content"].partition("\n")[0] for row in rows) == [
        "# Boat",
        "How long do lemons keep?",
        "Likes tea.",
    ]
    assert {row["created_at"] for row in rows} >= {1_714_000_001_000, 1_767_323_045_000}


def test_memories_are_counted_by_duckdb(alice: Person, bob: Person, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    alice.save_many([{"content": f"{number}", "namespace": "ada"} for number in range(3)])
    said = follow("Analyse with DuckDB, pandas or polars", tmp_path, alice, bob)

    assert re.search(r"ada\s*│\s*3\b", said)


@pytest.mark.skipif(shutil.which("jq") is None, reason="no jq here (Debian: jq)")
def test_who_is_forgotten_leaves_no_memory_and_no_export(
    alice: Person, bob: Person, tmp_path: Path
) -> None:
    alice.save("about Ada", namespace="ada")
    kept, export = alice.save("about Ben", namespace="ben"), alice.export()
    follow("Forget someone", tmp_path, alice, bob)

    assert [row["id"] for row in alice.get("/api/memories").json()] == [kept["id"]]
    assert alice.get(f"/api/memories/exports/{export['id']}").json()["status"] == "expired"
