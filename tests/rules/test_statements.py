"""Each statement stands in the folder of the package that runs it, and is run."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

from memferry.database import sql as statements

SOURCE = Path(__file__).parents[2] / "src/memferry"


def find_users() -> dict[str, set[str]]:
    """The packages whose modules name a statement, by its name."""
    users = defaultdict(set)
    for file in SOURCE.rglob("*.py"):
        package = file.relative_to(SOURCE).parts[0]
        for name in re.findall(r'"([a-z_]+/[a-z0-9_]+)"', file.read_text()):
            users[name].add(package)
    return users


USERS = find_users()


@pytest.mark.parametrize("name", statements.read_statements())
def test_a_statement_stands_in_the_folder_of_the_package_that_runs_it(name: str) -> None:
    folder = name.partition("/")[0]

    assert USERS[name]
    assert folder == "database" or USERS[name] == {folder}
