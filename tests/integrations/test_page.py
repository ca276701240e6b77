"""The page of the frameworks does what it says."""

import doctest
from pathlib import Path

from support.people import Person

_PAGE = (Path(__file__).parents[2] / "docs/integrations.md").read_text()


def test_the_examples_of_the_frameworks_run(alice: Person) -> None:
    names = {"url": str(alice.base_url), "token": alice.token}
    example = doctest.DocTestParser().get_doctest(_PAGE, names, "integrations.md", None, 0)
    printed: list[str] = []
    result = doctest.DocTestRunner().run(example, out=printed.append)

    assert result.attempted > 0
    assert result.failed == 0, "".join(printed)
