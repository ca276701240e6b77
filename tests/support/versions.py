"""A newer version of the program: this one with one more column, in a table and in a view."""

import shutil
from pathlib import Path

_SOURCE = Path(__file__).parents[2] / "src"
_VIEW = "CREATE VIEW memferry_service.exports AS\nSELECT "
NEW_MIGRATION = "9999_remark"


def make_newer_version(place: Path) -> dict[str, str]:
    """The environment in which `python -m memferry` is the newer version."""
    shutil.copytree(_SOURCE, place / "src", ignore=shutil.ignore_patterns("__pycache__"))
    schema = place / "src/memferry/database/schema"
    (schema / f"{NEW_MIGRATION}.sql").write_text(
        "ALTER TABLE memferry.jobs ADD COLUMN remark text NOT NULL DEFAULT '';\n"
    )
    views = (schema / "views.sql").read_text()
    assert _VIEW in views
    (schema / "views.sql").write_text(views.replace(_VIEW, f"{_VIEW}''::text AS remark, "))
    return {"PYTHONPATH": str(place / "src")}
