"""SQL statements live in files, one each; this module hands them out by name."""

from functools import cache
from importlib import resources
from typing import LiteralString


def sql(name: LiteralString) -> LiteralString:
    """The statement in `statements/<name>.sql`.

    Its text is a literal of this package, which is what the return type says: nothing a caller
    sends can become part of it.
    """
    return _statements()[name]


@cache
def _statements() -> dict[str, LiteralString]:
    """All of them at once: a process whose files are replaced goes on with those it began with."""
    folder = resources.files("memferry.database.statements")
    files = (each for each in folder.iterdir() if each.name.endswith(".sql"))
    return {each.name.removesuffix(".sql"): each.read_text(encoding="utf-8") for each in files}
