"""SQL statements live in files, one each; this module hands them out by name."""

from functools import cache
from importlib import resources
from typing import LiteralString


def sql(name: LiteralString) -> LiteralString:
    """The statement in `statements/<name>.sql`; a name is `<package>/<statement>`.

    The folder is the package that runs it, or `database` if several do. The text is a literal of
    this package, which is what the return type says: nothing a caller sends can become part of it.
    """
    return _statements()[name]


@cache
def _statements() -> dict[str, LiteralString]:
    """All of them at once: a process whose files are replaced goes on with those it began with."""
    root = resources.files("memferry.database").joinpath("statements")
    return {
        f"{folder.name}/{file.name.removesuffix('.sql')}": file.read_text(encoding="utf-8")
        for folder in root.iterdir()
        if folder.is_dir()
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }
