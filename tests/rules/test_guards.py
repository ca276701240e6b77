"""Each guard is in the source once, what is left without it is valid, and its tests exist."""

import ast
import re
from pathlib import Path

import pytest

from guards import Guard, drop, drop_item, make_false, replace
from guards.edits import UnclearPlace
from guards.lists import ROOT, find_lists, load_guards, load_list
from guards.python import apply_to_python
from guards.sql import apply_to_sql

GUARDS = load_guards()
_SOURCE = """
class Exports:
    def create(self, count):
        if count > 3 or self.full:
            refuse(count, status=400)
        refuse(count, status=500)
"""


@pytest.mark.parametrize("guard", GUARDS, ids=str)
def test_a_guard_is_there_once_and_its_absence_is_valid_source(guard: Guard) -> None:
    source = (ROOT / guard.file).read_text()

    rest = guard.take_away(source)

    assert rest != source
    assert not guard.file.endswith(".py") or ast.dump(ast.parse(rest)) != ast.dump(
        ast.parse(source)
    )


@pytest.mark.parametrize("test", sorted({test for guard in GUARDS for test in guard.tests}))
def test_a_named_test_is_there(test: str) -> None:
    file, _, name = test.partition("::")

    assert re.search(
        rf"^(async )?def {name or 'test_.*'}\(", (ROOT / file).read_text(), re.MULTILINE
    )


def test_no_guard_is_listed_twice() -> None:
    assert len(set(GUARDS)) == len(GUARDS)


@pytest.mark.parametrize("file", find_lists(), ids=lambda file: str(file.name))
def test_a_list_stands_beside_the_first_test_of_each_of_its_guards(file: Path) -> None:
    folder = file.parent.relative_to(ROOT)

    assert file.name == f"guards_{folder.name}.py"
    assert [guard for guard in load_list(file) if folder not in Path(guard.tests[0]).parents] == []


def test_a_place_is_found_by_what_it_mentions_within_its_function() -> None:
    without = apply_to_python(_SOURCE, "Exports.create", make_false("full"))

    assert "if count > 3 or False:" in without


def test_a_place_that_two_nodes_match_is_refused() -> None:
    with pytest.raises(UnclearPlace, match="status: 2 places match"):
        apply_to_python(_SOURCE, "Exports.create", drop_item("status"))


def test_a_function_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnclearPlace, match=r"Exports\.delete: 0 definitions of delete"):
        apply_to_python(_SOURCE, "Exports.delete", make_false("full"))


def test_white_space_and_comments_of_a_statement_do_not_count() -> None:
    statement = "SELECT id -- the key\nFROM exports\n    WHERE note(id, (1)) AND id = $1"

    assert apply_to_sql(statement, "", replace("id FROM exports", "1")).startswith("SELECT 1\n")
    assert apply_to_sql(statement, "", drop("note(...) AND")).endswith("WHERE  id = $1")


def test_a_statement_of_a_schema_is_found_by_its_first_line() -> None:
    schema = "CREATE VIEW a AS\nSELECT 1;\n\nCREATE VIEW b AS\nSELECT 1;\n"

    assert apply_to_sql(schema, "VIEW b", replace("1", "2")).count("SELECT 1") == 1
