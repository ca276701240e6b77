"""The wheel, installed from nothing on each Python that memferry says it runs on.

Needs a registry of packages, and the Pythons on PATH as python3.11, python3.12 and so on.
"""

import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import httpx
import pytest

from build import ROOT, build
from support.directories import make_open_directory
from support.installation import (
    VERSIONS,
    Installation,
    check,
    find_python,
    install,
    make_environment,
    run,
)
from support.service import NO_TLS, find_free_port

pytestmark = [pytest.mark.install, pytest.mark.timeout(600)]

_PAGE = (ROOT / "docs/install.md").read_text()
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
_THIS = f"3.{sys.version_info.minor}"
_CHECKED = [
    *(f"inline.{name}" for name in ("json", "ndjson", "csv", "markdown", "html", "paste")),
    *(f"queued.{name}" for name in ("json", "ndjson", "csv", "ndjson")),
]
_SERVER_LIBRARIES = {"asyncpg", "obstore", "starlette", "typer", "uvicorn", "uvloop"}
# What stands in an extra, and the module that needs it.
_EXTRAS = {
    "langchain": "memferry.integrations.langchain",
    "langgraph": "memferry.integrations.langgraph",
    "mcp": "memferry.mcp.stdio",
    "openai-agents": "agents, memferry.integrations.openai_agents",
    "parquet": "memferry.formats.parquet_encoder",
}
_PLATFORMS = {
    "Linux x86_64": "x86_64-manylinux_2_28",
    "Linux aarch64": "aarch64-manylinux_2_28",
    "macOS arm64": "aarch64-apple-darwin",
}
_MISSING = re.compile(r": NotInstalled: |No module named '(mcp|mcp_types|pyarrow)'$")
# Imports each module of the package, and prints those that do not load.
_IMPORT_ALL = """
import importlib, pkgutil, warnings
import memferry
warnings.filterwarnings("error", module="memferry")
def load(package):
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if found.name.endswith("__main__"):
            continue
        try:
            module = importlib.import_module(found.name)
        except Exception as fault:
            print(f"{found.name}: {type(fault).__name__}: {fault}")
        else:
            if found.ispkg:
                load(module)
load(memferry)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("built"))[0]


@pytest.fixture(scope="module")
def install_on(wheel: Path) -> Iterator[Callable[[str], Installation]]:
    """Installs the wheel on a version of Python, once."""
    with make_open_directory() as home:

        @cache
        def install_wheel(version: str) -> Installation:
            if (python := find_python(version)) is None:
                pytest.skip(f"no python{version} on PATH")
            return install(python, home / version, home, str(wheel))

        yield install_wheel


@pytest.fixture(scope="module")
def uv(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command uv, which keeps what it fetches to itself."""
    folder = tmp_path_factory.mktemp("uv")
    program = install(Path(sys.executable), folder, folder, "uv").get_program("uv")
    return [str(program), "--cache-dir", str(folder / "cache"), "--quiet"]


@pytest.fixture(params=VERSIONS)
def installed(
    request: pytest.FixtureRequest, install_on: Callable[[str], Installation]
) -> Installation:
    """The wheel on each Python."""
    return install_on(request.param)


@pytest.fixture
def installed_here(install_on: Callable[[str], Installation]) -> Installation:
    """The wheel on the version of Python that runs the tests."""
    return install_on(_THIS)


def test_the_demo_runs_from_an_empty_directory(installed: Installation) -> None:
    empty = installed.folder / "empty"
    empty.mkdir()
    printed = check(installed.run("memferry", "demo", "--rows", "10001", place=empty))

    assert re.findall(r"^  ok (\S+):", printed, re.MULTILINE) == _CHECKED
    assert "Done in" in printed
    assert list(empty.iterdir()) == []


def test_the_program_and_the_module_print_the_version(installed: Installation) -> None:
    version = f"memferry {_PROJECT['version']}\n"

    assert check(installed.run("memferry", "--version")) == version
    assert check(installed.run("python", "-m", "memferry", "--version")) == version


def test_the_client_loads_no_part_of_the_server(installed: Installation) -> None:
    program = "import sys, memferry.client; print(*sys.modules)"
    modules = set(check(installed.run("python", "-W", "error", "-c", program)).split())

    assert "memferry.client.client" in modules
    assert not modules & _SERVER_LIBRARIES
    assert not {name for name in modules if name.startswith("memferry.database")}


def test_every_module_loads_without_a_warning_or_needs_an_extra(installed: Installation) -> None:
    ours = str(installed.find_packages() / "memferry")
    check(installed.run("python", "-W", "error", "-m", "compileall", "-q", "-f", ours))
    faults = check(installed.run("python", "-c", _IMPORT_ALL)).splitlines()

    assert [fault for fault in faults if not _MISSING.search(fault)] == []


def test_the_page_names_the_pythons_and_the_extras_of_the_package() -> None:
    named = re.findall(r"^\| `memferry\[(.+?)\]` \|", _PAGE, re.MULTILINE)
    columns = re.findall(r"^\| system \| (.+) \|$", _PAGE, re.MULTILINE)
    pythons = [f"Programming Language :: Python :: {version}" for version in VERSIONS]

    assert sorted(named) == sorted(_EXTRAS) == sorted(_PROJECT["optional-dependencies"])
    assert columns == [" | ".join(VERSIONS)]
    assert [name for name in _PROJECT["classifiers"] if "Python ::" in name] == pythons


@pytest.mark.parametrize("system", _PLATFORMS)
def test_each_part_has_a_wheel_where_the_page_says_so(uv: list[str], system: str) -> None:
    (row,) = re.findall(
        rf"^\| {re.escape(system)}.* \| (\w+ \| \w+ \| \w+ \| \w+) \|$", _PAGE, re.MULTILINE
    )
    assert set(row.split(" | ")) <= {"tested", "wheels"}
    for version in VERSIONS:
        wheels = ("--only-binary", ":all:", "--python-platform", _PLATFORMS[system])
        this = ("--python", sys.executable, "--python-version", version)
        project = ("--all-extras", str(ROOT / "pyproject.toml"))
        check(run([*uv, "pip", "compile", *wheels, *this, *project]))


@pytest.mark.parametrize("extra", _EXTRAS)
def test_an_extra_brings_what_its_module_needs(
    installed_here: Installation, wheel: Path, extra: str
) -> None:
    extended = installed_here.extend(f"{wheel}[{extra}]")

    check(extended.run("python", "-c", f"import {_EXTRAS[extra]}"))


@pytest.mark.parametrize("extra", ["langchain", "langgraph"])
def test_a_framework_that_is_missing_is_named(installed_here: Installation, extra: str) -> None:
    done = installed_here.run("python", "-c", f"import {_EXTRAS[extra]}")

    assert f"is not installed: pip install 'memferry[{extra}]'" in done.stderr.splitlines()[-1]


def test_a_command_without_its_extra_says_what_to_install(installed_here: Installation) -> None:
    done = installed_here.run("memferry", "mcp")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "memferry: mcp is not installed: pip install 'memferry[mcp]'\n"


def test_uvx_serves_from_the_wheel_until_it_is_told_to_stop(wheel: Path, uv: list[str]) -> None:
    port = find_free_port()
    with make_open_directory() as home:
        process = subprocess.Popen(
            [
                *(*uv, "tool", "run", "--python", sys.executable, "--from", str(wheel)),
                *("memferry", "serve", "--port", str(port), "--data-dir", str(home / "data")),
            ],
            env=make_environment(home),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        answer = wait_for_answer(process, f"http://127.0.0.1:{port}/api/health")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)

    assert answer == {"ok": True}, err
    assert process.returncode == 0, err
    assert out.endswith("memferry has stopped\n")


def wait_for_answer(process: "subprocess.Popen[str]", url: str) -> object:
    """What an address answers, once it does; None if the process ends."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return httpx.get(url, verify=NO_TLS).json()
        except httpx.TransportError:
            time.sleep(0.1)
    return None
