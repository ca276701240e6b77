"""The TypeScript client: its types are those of the API, and it works in Node against a service."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.page_blocks import list_blocks
from support.people import Person

_CLIENT = Path(__file__).parents[2] / "clients/typescript"
# The client has no types of Node, since it runs in browsers too.
_NODE = "declare const process: { stdout: { write(bytes: Uint8Array): void } };"

pytestmark = [
    pytest.mark.typescript,
    pytest.mark.skipif(
        not (_CLIENT / "node_modules").is_dir(), reason="npm ci --prefix clients/typescript"
    ),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the client; what npm installed stays where it is."""
    copy = tmp_path_factory.mktemp("typescript")
    for name in ("src", "test"):
        shutil.copytree(_CLIENT / name, copy / name)
    for name in ("package.json", "tsconfig.json"):
        shutil.copy(_CLIENT / name, copy)
    (copy / "node_modules").symlink_to(_CLIENT / "node_modules")
    yield copy
    shutil.rmtree(copy)


def test_the_types_are_those_of_the_api(folder: Path, alice: Person) -> None:
    (folder / "openapi.json").write_bytes(alice.get("/openapi.json").content)
    before = (folder / "src/schema.ts").read_text()
    _run(folder, "npm", "run", "types")

    assert (folder / "src/schema.ts").read_text() == before


def test_it_works_in_node(folder: Path, alice: Person) -> None:
    _run(folder, "npm", "run", "build")
    settings = {"MEMFERRY_URL": str(alice.base_url), "MEMFERRY_TOKEN": alice.token}
    output = _run(folder, "npm", "test", **settings)

    assert "# pass 6" in output


def test_the_example_of_its_page_runs_and_has_the_right_types(folder: Path, alice: Person) -> None:
    (block,) = (block for block in list_blocks() if block.language == "ts")
    text = block.text.replace('"memferry"', '"./index.js"').replace("mnu_...", alice.token)
    text = text.replace("http://127.0.0.1:3122", str(alice.base_url))
    (folder / "src/example.ts").write_text(f"{_NODE}\n{text}")
    _run(folder, "npm", "run", "build")
    content, exported = _run(folder, "node", "dist/example.js").splitlines()

    assert content == json.loads(exported)["content"] == "Likes tea."


def _run(folder: Path, *command: str, **environment: str) -> str:
    result = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
