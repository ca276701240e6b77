"""OKF bundles read as their specification says, sharing nothing with the code that writes them.

https://github.com/GoogleCloudPlatform/knowledge-catalog/blob/main/okf/SPEC.md, sections 3 to 11.
"""

import io
import re
import zipfile
from datetime import datetime
from typing import Any

import yaml

_RESERVED = ("index.md", "log.md")
_ACTOR = re.compile(r"(human|process):.+|[^/]+/.+", re.DOTALL)
_LINK = re.compile(r"\* \[.+\]\(.+\)( - .+)?")


def read_bundle(data: bytes) -> dict[str, bytes]:
    """The files of a zip by name; each name stands once, whatever a file system takes for equal."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len({name.casefold() for name in names}) == len(names)
        return {name: archive.read(name) for name in names}


def split_concept(file: bytes) -> tuple[dict[str, Any], bytes]:
    """The front matter and the body of a file."""
    found = re.fullmatch(rb"---\n(.*?\n)---\n(.*)", file, re.DOTALL)
    assert found is not None, file[:200]
    front_matter = yaml.safe_load(found[1])
    assert isinstance(front_matter, dict)
    return front_matter, found[2]


def check_bundle(files: dict[str, bytes]) -> None:
    """Section 11, what the sections before it ask of the fields, and names of any file system."""
    for name, file in files.items():
        assert re.fullmatch(r"([\w-]+/)*[\w.-]+\.md", name), name
        assert all(len(part.encode()) <= 255 for part in name.split("/"))
        if name.rpartition("/")[2] in _RESERVED:
            _check_index(file, root=name == "index.md")
        else:
            _check_concept(*split_concept(file))


def _check_concept(front_matter: dict[str, Any], _body: bytes) -> None:
    assert isinstance(front_matter["type"], str)
    assert front_matter["type"]
    assert all(isinstance(tag, str) for tag in front_matter.get("tags", []))
    generated = front_matter["generated"]
    assert _ACTOR.fullmatch(generated["by"])
    if "at" in generated:
        assert datetime.fromisoformat(str(generated["at"])).tzinfo is not None


def _check_index(file: bytes, *, root: bool) -> None:
    """Section 8: front matter only in the root, and there the version alone; headings and links."""
    if root:
        front_matter, file = split_concept(file)
        assert front_matter == {"okf_version": "0.2"}
    lines = [line for line in file.decode().splitlines() if line]
    assert lines[0].startswith("# ")
    assert all(_LINK.fullmatch(line) for line in lines[1:])
