"""What is published: whole, the same bytes each time, and its parts named."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from build import ROOT, build
from secret_scan import list_files


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheel, the source archive, the bill of materials."""
    return build(tmp_path_factory.mktemp("built"))


def test_another_place_and_time_zone_build_the_same_bytes(
    built: list[Path], tmp_path: Path
) -> None:
    for file in list_files():
        copy = tmp_path / "elsewhere" / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    subprocess.run(
        [sys.executable, "tools/build.py", str(tmp_path / "again")],
        cwd=tmp_path / "elsewhere",
        check=True,
        capture_output=True,
        env=os.environ | {"TZ": "Asia/Tokyo"},
        umask=0o077,
    )

    assert [file.read_bytes() for file in built] == [
        (tmp_path / "again" / file.name).read_bytes() for file in built
    ]


def test_the_wheel_holds_every_file_of_the_package(built: list[Path]) -> None:
    source = ROOT / "src"
    tracked = {str(each.relative_to(source)) for each in list_files() if source in each.parents}
    with zipfile.ZipFile(built[0]) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}

    assert held == tracked


def test_the_bill_names_every_locked_package_and_those_that_memferry_asks_for(
    built: list[Path],
) -> None:
    bill = json.loads(built[2].read_text())
    locked = (ROOT / "requirements/main.txt").read_text()
    ours = bill["metadata"]["component"]["bom-ref"]
    (asked,) = [each["dependsOn"] for each in bill["dependencies"] if each["ref"] == ours]

    assert len(bill["components"]) == len(re.findall(r"^\S+==", locked, re.MULTILINE))
    assert all(f"{each['name']}=={each['version']} " in locked for each in bill["components"])
    assert "pkg:pypi/asyncpg" in {each.partition("@")[0] for each in asked}
