"""SQL statements, one per file, read by their names."""

from functools import cache
from importlib import resources
from typing import LiteralString


def sql(name: LiteralString) -> LiteralString:
    """The statement in `statements/<name>.sql`; a name is `<package>/<statement>`.

    The folder is the package that runs the statement, or `database` if several do. The return type
    says that the text is a literal of this package: nothing that a client sends is part of it.
    """
    return read_statements()[name]


@cache
def read_statements() -> dict[str, LiteralString]:
    """Read all statements by their names.

    At once: an update of the files does not reach a process that runs.
    """
    root = resources.files("memferry.database").joinpath("statements")
    return {
        f"{folder.name}/{file.name.removesuffix('.sql')}": file.read_text(encoding="utf-8")
        for folder in root.iterdir()
        if folder.is_dir()
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }
