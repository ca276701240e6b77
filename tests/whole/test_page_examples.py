"""The examples of all pages run as they stand, or are left to a test of their own."""

import asyncio
import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from commands import list_commands
from memferry.cli import app
from memferry.model.token import SCOPES
from support.page_blocks import Block, list_blocks
from support.page_folder import add_programs, fill_folder
from support.people import Person, make_person
from support.postgres import execute
from support.service import Service

BLOCKS = list_blocks()
# Pages whose commands have a test that looks at what they do.
ELSEWHERE = {
    "clients/typescript/README.md": "tests/whole/test_typescript_client.py",
    "docs/guides.md": "tests/whole/test_guides.py",
    "docs/operation.md": "tests/whole/test_several_nodes.py",
}
# The beginnings of commands that do not run here, and why.
LEFT_OUT = {
    "./run demo": "it starts a service of its own, and checks itself",
    "./run test": "it is what runs",
    "./run serve": "the service runs already",
    "./run bench": "a million rows take hours",
    "memferry serve": "the service runs already",
    "MEMFERRY_LOCAL_TENANT=me memferry serve": "tests/http/test_local_tenant.py has one",
    "memferry import --from": "tests/imports/test_tables.py has databases of others",
    "memferry store adopt": "other tests share the store; tests/operation has one of its own",
    "pip install": "it is installed",
    'eval "$(memferry completion zsh)"': "zsh may be missing",
}
RUN = [block for block in BLOCKS if block.page not in ELSEWHERE]
COMMANDS = [block for block in RUN if block.language == "sh"]
PYTHON = [block for block in RUN if block.language in {"python", "doctest"}]
TAKEN = dict(list_commands(get_command(app), "memferry"))
NAMED = [
    shlex.split(command)
    for block in BLOCKS
    if block.language == "sh"
    for line in block.lines
    if not line.startswith("claude ")
    for command in re.findall(r"(?<![-\w/])(?<!xargs )memferry [^|<>)]+", line)
]
_ID = "0198e3c0-7d2c-7a31-9c40-2f6f0a5d1b7e"
_URL = "http://127.0.0.1:3122"


def list_pages(blocks: list[Block]) -> list[str]:
    return sorted({block.page for block in blocks})


@pytest.fixture
def ada(service: Service, database_url: str, tmp_path: Path) -> Any:
    """A tenant with all scopes, in a folder with the files that pages name."""
    fill_folder(tmp_path)
    with make_person("ada", service, database_url, SCOPES) as person:
        yield person


def test_every_block_has_a_language_that_is_run_or_only_shown() -> None:
    run, shown = {"sh", "python", "doctest", "ts"}, {"text", "json"}

    assert {block.language for block in BLOCKS} <= {*run, *shown, "sql"}


@pytest.mark.parametrize("line", NAMED, ids=" ".join)
def test_a_page_gives_a_command_only_what_it_takes(line: list[str]) -> None:
    name = next(name for name in (" ".join(line[:end]) for end in (3, 2)) if name in TAKEN)

    TAKEN[name].make_context(name, line[len(name.split()) :])


def test_what_is_left_out_is_in_the_pages() -> None:
    lines = [line for block in COMMANDS for line in block.lines]

    assert {part for part in LEFT_OUT if not any(line.startswith(part) for line in lines)} == set()
    assert set(ELSEWHERE) <= set(list_pages(BLOCKS))


@pytest.mark.parametrize("page", list_pages(PYTHON))
def test_the_python_of_a_page_runs(
    page: str, ada: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url, token = str(ada.base_url), ada.token
    names: dict[str, Any] = {"url": url, "token": token, "TOKEN": token, "folder": tmp_path}
    if page == "docs/lists.md":
        ada.save_many([{"content": "one"}, {"content": "two"}])
        names |= {"client": ada, "url": "/api/memories?limit=1", "rows": []}
    blocks = [block for block in PYTHON if block.page == page]

    for block in blocks:
        if block.language == "python":
            exec(block.text.replace(_URL, url), names)  # noqa: S102 - our own page
    run_doctests("".join(block.text for block in blocks if block.language == "doctest"), names)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "sql"])
def test_the_statements_of_a_page_are_accepted(block: Block, database_url: str) -> None:
    statements = block.text.replace("ROLE owner", "ROLE CURRENT_USER")

    asyncio.run(execute(database_url, f"BEGIN; {statements} ROLLBACK"))


@pytest.mark.long
@pytest.mark.skipif(shutil.which("jq") is None, reason="no jq here (Debian: jq)")
@pytest.mark.parametrize("page", list_pages(COMMANDS))
def test_the_commands_of_a_page_run(
    page: str, ada: Person, service: Service, database_url: str, tmp_path: Path
) -> None:
    add_programs(tmp_path / "programs")
    settings = {
        "MEMFERRY_DATABASE_URL": database_url,
        "MEMFERRY_STORAGE_URL": service.store.as_uri(),
    }
    row = ada.save("Likes tea.", namespace="drinks")
    for block in COMMANDS:
        if block.page == page:
            ada.save("Was there.", namespace="old")
            run_block(block, ada, tmp_path, {_ID: row["id"]}, settings)


def run_doctests(text: str, names: dict[str, Any]) -> None:
    example = doctest.DocTestParser().get_doctest(text, names, "page", None, 0)
    printed: list[str] = []
    result = doctest.DocTestRunner().run(example, out=printed.append)

    assert result.failed == 0, "".join(printed)


def run_block(
    block: Block,
    person: Person,
    folder: Path,
    values: Mapping[str, str],
    settings: Mapping[str, str],
) -> None:
    """Run the commands of a block in a folder, as a person who is also the operator."""
    text = write_script(block, str(person.base_url), values)
    path = f"{folder / 'programs'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    (folder / ".config/fish/completions").mkdir(parents=True, exist_ok=True)
    own = {"MEMFERRY_URL": str(person.base_url), "MEMFERRY_TOKEN": person.token}
    own |= {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / ".config"), "PATH": path}
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env={**os.environ, **own, **settings, "TOKEN": person.token},
        input=f"{person.token}\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"


def write_script(block: Block, url: str, values: Mapping[str, str]) -> str:
    """The commands with what is here in the place of what a page can only hint at."""
    lines = [line for line in block.text.splitlines() if not line.startswith(tuple(LEFT_OUT))]
    text = "\n".join(lines)
    places = {
        _URL: url,
        "https://memferry.example": url,
        "./run memferry": "memferry",
        "FILE…": "memories.ndjson",
        "memferry-01….": "memferry-*.",
        "age1…": "$(cat recipient)",
    }
    for shown, real in {**places, **values}.items():
        text = text.replace(shown, real)
    return text
