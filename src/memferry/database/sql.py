"""SQL statements live in files, one each; this module hands them out by name."""

from functools import cache
from importlib import resources
from typing import LiteralString


@cache
def sql(name: LiteralString) -> LiteralString:
    """The statement in `statements/<name>.sql`.

    Its text is a literal of this package, which is what the return type says: nothing a caller
    sends can become part of it.
    """
    file = resources.files("memferry.database.statements").joinpath(f"{name}.sql")
    return file.read_text(encoding="utf-8")
