"""The blocks of code in the pages, each with the language that it is in."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PAGES = ("*.md", "docs/*.md", "clients/*/README.md")
_PROGRAMS = (
    "memferry", "./run", "curl", "pip", "npm", "python", "python3", "openssl", "age-keygen",
    "pg_dump", "psql", "claude", "ssh", "eval", "export", "pbpaste",
)  # fmt: skip
_COMMAND = re.compile(rf"(\$ )?([A-Z_]+=\S+ )*({'|'.join(map(re.escape, _PROGRAMS))}) ")
_SQL = re.compile(r"(ALTER|CREATE|GRANT|INSERT|SELECT|UPDATE) ")
_PYTHON = re.compile(r"(from|import|with|while|for) ")
_BLOCK = re.compile(
    r"^```(?P<language>\w*)\n(?P<fenced>(?:[^\n]*\n)*?)```$|(?P<indented>(?:^ {4}.*\n|^\n)+)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """One block of code."""

    page: str
    """The path of its page in the repository."""
    language: str
    """`sh`, `python`, `doctest`, `sql`, that of its fence, or `text`: nothing that runs."""
    text: str

    @property
    def lines(self) -> list[str]:
        """The commands of a shell, without comments; one that goes on in the next line is one."""
        joined = self.text.replace("\\\n", " ")
        return [line.partition("  # ")[0].strip() for line in joined.splitlines() if line.strip()]


def list_blocks() -> list[Block]:
    """The blocks of all pages but the reference of the API, whose tool runs them."""
    pages = sorted(page for pattern in _PAGES for page in ROOT.glob(pattern))
    return [block for page in pages for block in _split_page(page)]


def _split_page(page: Path) -> Iterator[Block]:
    name = str(page.relative_to(ROOT))
    for found in _BLOCK.finditer(page.read_text()):
        if found["fenced"] is not None:
            yield Block(name, found["language"], found["fenced"])
        elif text := re.sub(r"^ {4}", "", found["indented"], flags=re.MULTILINE).strip("\n"):
            yield Block(name, _name_language(text), f"{text}\n")


def _name_language(text: str) -> str:
    if text.startswith(">>> "):
        return "doctest"
    if _COMMAND.match(text):
        return "sh"
    if _SQL.match(text):
        return "sql"
    return "python" if _PYTHON.match(text) and _is_python(text) else "text"


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
