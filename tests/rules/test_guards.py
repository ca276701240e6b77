"""The lists of guards are true to the source: each text is there, and so is each test named."""

import re
from pathlib import Path

import pytest

from rules.guard import Guard
from rules.guards import GUARDS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("guard", GUARDS, ids=str)
def test_a_guard_is_there_and_would_be_missed(guard: Guard) -> None:
    source = (ROOT / guard.file).read_text()

    assert guard.text in source
    assert source.replace(guard.text, guard.without) != source


@pytest.mark.parametrize("test", sorted({each for guard in GUARDS for each in guard.tests}))
def test_a_named_test_is_there(test: str) -> None:
    file, _, name = test.partition("::")

    assert re.search(
        rf"^(async )?def {name or 'test_.*'}\(", (ROOT / file).read_text(), re.MULTILINE
    )


def test_no_guard_stands_there_twice() -> None:
    assert len(set(GUARDS)) == len(GUARDS)
