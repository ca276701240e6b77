"""The TypeScript client: its types are those of the API, and it works in Node against a service."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.people import Person

_CLIENT = Path(__file__).parents[2] / "clients/typescript"

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
