"""Markdown as a parser of CommonMark reads it."""

from markdown_it import MarkdownIt
from markdown_it.token import Token

COMMONMARK = MarkdownIt("commonmark")


def read_document(text: str, parser: MarkdownIt) -> list[tuple[str, str]]:
    """Each heading, quote, fence and paragraph with its text; raises for anything else."""
    found: list[tuple[str, str]] = []
    within: list[str] = []
    for token in parser.parse(text):
        if token.type == "fence":
            assert (within, token.info) == ([], "")
            found.append(("fence", token.content.removesuffix("\n")))
        elif token.type == "inline":
            kind = within[0] if within[0] != "paragraph" else "details"
            found.append((kind, _read_inline(token)))
        elif token.nesting == 1:
            within.append(token.tag if token.tag[0] == "h" else token.type.removesuffix("_open"))
        else:
            assert token.nesting == -1, token
            within.pop()
    return found


def _read_inline(token: Token) -> str:
    """The text of a line; raises if there is any markup in it."""
    children = token.children or []
    assert {child.type for child in children} <= {"text", "text_special", "hardbreak"}, (
        token.content
    )
    return "".join("\n" if child.type == "hardbreak" else child.content for child in children)
