"""Builds what is published: the wheel, the source archive, and a bill of materials beside them.

`./run build` runs it. The same files give the same bytes, whoever builds them and when: no time of
the clock and nothing of the machine is in them.
"""

import argparse
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pip_requirements_parser import RequirementsFile

ROOT = Path(__file__).parent.parent
_LOCKED = ROOT / "requirements/main.txt"


def build(folder: Path) -> list[Path]:
    """Write all three into a folder, and answer where they are."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stem = f"{project['name']}-{project['version']}"
    bill = folder / f"{stem}.cdx.json"
    bill.write_text(write_bill(project), encoding="utf-8")
    return [folder / f"{stem}-py3-none-any.whl", folder / f"{stem}.tar.gz", bill]


def write_bill(project: dict[str, Any]) -> str:
    """The bill of materials (CycloneDX 1.6): all that the lock file installs with memferry."""
    ours = _make_component(project["name"], project["version"], ComponentType.APPLICATION)
    parts = [
        _make_component(pin.name, pin.get_pinned_version, ComponentType.LIBRARY)
        for pin in RequirementsFile.from_file(str(_LOCKED)).requirements
    ]
    named = {part.name: part for part in parts}
    # Dependencies of our own, by name; those of the others are the business of their bills.
    direct = [named[canonicalize_name(Requirement(each).name)] for each in project["dependencies"]]
    bill = Bom(
        components=parts,
        metadata=BomMetaData(component=ours),
        dependencies=[Dependency(ours.bom_ref, [Dependency(part.bom_ref) for part in direct])],
        serial_number=uuid5(NAMESPACE_URL, str(ours.purl) + _LOCKED.read_text(encoding="utf-8")),
    )
    bill.metadata.timestamp = None  # type: ignore[assignment]  # the same bytes at any time
    return JsonV1Dot6(bill).output_as_string(indent=2) + "\n"


def _make_component(name: str, version: str, kind: ComponentType) -> Component:
    purl = PackageURL("pypi", None, canonicalize_name(name), version)
    return Component(
        name=canonicalize_name(name), version=version, type=kind, purl=purl, bom_ref=str(purl)
    )


def main() -> None:
    """Build into dist/, or the folder that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "dist")
    sys.stdout.writelines(f"{file}\n" for file in build(parser.parse_args().folder))


if __name__ == "__main__":
    main()
