"""LibreOffice Calc finds formulas in a plain export of hostile rows, and none in a guarded one."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.memories import save_everywhere
from support.people import Person, make_person
from support.service import Service
from support.spreadsheet import HOSTILE

_OFFICE = shutil.which("soffice") or ""
pytestmark = [
    pytest.mark.spreadsheet,
    pytest.mark.skipif(
        not _OFFICE,
        reason="no soffice here; on Debian: apt-get install libreoffice-calc-nogui",
    ),
]

# https://help.libreoffice.org/latest/en-US/text/shared/guide/csv_params.html: separators, quote,
# UTF-8, first line, columns, language, quoted is text, detect numbers, (2), trim, sheet, evaluate.
_FILTER = "Text - txt - csv (StarCalc):{separators},34,76,1,,0,false,{detect},,,{trim},0,true"
_READINGS = [
    (separators, detect, trim)
    for separators in ("44", "59", "44/59/9")
    for detect in ("false", "true")
    for trim in ("false", "true")
]


@pytest.fixture(scope="module")
def alice(service: Service, database_url: str) -> Iterator[Person]:
    """Alice, who was sent formulas; nobody here changes them."""
    with make_person("alice", service, database_url) as person:
        save_everywhere(person, HOSTILE)
        yield person


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where LibreOffice keeps its profile: it is made once."""
    return tmp_path_factory.mktemp("office")


def formulas(office: Path, payload: str, reading: tuple[str, str, str]) -> list[str]:
    """The formulas of the sheet that LibreOffice makes of a file."""
    source, sheet = office / "export.csv", office / "export.fods"
    source.write_bytes(payload.encode())
    sheet.unlink(missing_ok=True)
    separators, detect, trim = reading
    reader = _FILTER.format(separators=separators, detect=detect, trim=trim)
    place = f"-env:UserInstallation={(office / 'profile').as_uri()}"
    into = ["--convert-to", "fods", "--outdir", str(office)]
    subprocess.run(
        [_OFFICE, place, "--headless", f"--infilter={reader}", *into, str(source)],
        check=True,
        capture_output=True,
        timeout=100,
    )
    cells = sheet.read_text()
    assert cells.count("<table:table-cell") > len(HOSTILE)
    return re.findall(r'table:formula="([^"]*)"', cells)


@pytest.mark.parametrize("reading", _READINGS, ids="-".join)
def test_no_guarded_cell_is_a_formula(
    alice: Person, office: Path, reading: tuple[str, str, str]
) -> None:
    payload = alice.export(format="csv", csv_safe=True)["payload"]

    assert formulas(office, payload, reading) == []


@pytest.mark.parametrize("reading", _READINGS[::3], ids="-".join)
def test_the_same_cells_are_formulas_without_guards(
    alice: Person, office: Path, reading: tuple[str, str, str]
) -> None:
    found = formulas(office, alice.export(format="csv")["payload"], reading)

    assert "of:=1+1" in found
