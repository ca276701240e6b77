"""Memories as screens show them: decoded rows, and excerpts of long ones."""

import re

import msgspec
from markupsafe import Markup, escape
from msgspec import Raw
from starlette.requests import Request

from memferry.http.bodies import hold_memory
from memferry.memories.rows import Rows
from memferry.model.json_text import decode_plain

_EXCERPT_CHARACTERS = 280
_BEFORE_HIT = 80
_CONTENT_CHARACTERS = 10_000
# In longer texts a hit behind this is not marked.
_SEARCHED_CHARACTERS = 100_000
_MOST_WORDS = 32
_WORD = re.compile(r"\w+")
# As a row is rendered, and as it is decoded.
_COPIES = 2


class ShownMemory(msgspec.Struct, kw_only=True):
    """One memory; metadata stays text, so that its numbers keep their digits."""

    id: str
    content: str
    namespace: str
    tags: list[str]
    source: str
    source_ref: str | None
    metadata: Raw
    created_at: int
    updated_at: int
    expires_at: int | None = None
    is_cut: bool = False
    """Whether the content is only its beginning."""

    @property
    def metadata_text(self) -> str:
        """The metadata as JSON text; empty without any."""
        text = bytes(self.metadata).decode()
        return "" if text == "null" else text

    @property
    def content_bytes(self) -> int:
        """The size of the content in UTF-8."""
        return len(self.content.encode())

    @property
    def thread(self) -> str | None:
        """The thread that the memory belongs to: its `parent_ref`, else its `source_ref`."""
        members = decode_plain(self.metadata_text.encode()) if self.metadata_text else {}
        parent = members.get("parent_ref")
        return parent if isinstance(parent, str) else self.source_ref


_decoder = msgspec.json.Decoder(ShownMemory)


def decode_row(text: str) -> ShownMemory:
    """Decode a rendered row."""
    return _decoder.decode(text)


Excerpt = tuple[ShownMemory, Markup]
"""A memory without its content, and the excerpt of that."""


async def read_excerpts(request: Request, rows: Rows, words: str = "") -> list[Excerpt]:
    """Read the rows of a page with excerpts in place of contents; at most one part lies in memory.

    Rows that are deleted meanwhile are left out.
    """
    await hold_memory(request, _COPIES * rows.part_bytes)
    pattern = make_pattern(words)
    memories = []
    async for part in rows.render_parts():
        for text in part:
            if text is not None:
                row = decode_row(text)
                memories.append((row, cut_excerpt(row.content, pattern)))
                row.content = ""
    return memories


async def read_contents(request: Request, rows: Rows) -> list[ShownMemory]:
    """Read the rows of a page whose contents are shown up to 10,000 characters.

    Rows that are deleted meanwhile are left out.
    """
    await hold_memory(request, _COPIES * rows.part_bytes)
    memories = []
    async for part in rows.render_parts():
        for text in part:
            if text is not None:
                row = decode_row(text)
                row.is_cut = len(row.content) > _CONTENT_CHARACTERS
                row.content = row.content[:_CONTENT_CHARACTERS]
                memories.append(row)
    return memories


def make_pattern(words: str) -> re.Pattern[str] | None:
    """Make the pattern of words that begin with one of the words of a search."""
    longest = sorted(set(_WORD.findall(words)), key=len, reverse=True)[:_MOST_WORDS]
    return re.compile(rf"\b(?:{'|'.join(longest)})\w*", re.IGNORECASE) if longest else None


def cut_excerpt(content: str, pattern: re.Pattern[str] | None) -> Markup:
    """Cut the beginning of a content, or the place of the first hit, in which hits are marked."""
    hit = None if pattern is None else pattern.search(content, 0, _SEARCHED_CHARACTERS)
    start = max(hit.start() - _BEFORE_HIT, 0) if hit and hit.end() > _EXCERPT_CHARACTERS else 0
    text = content[start : start + _EXCERPT_CHARACTERS]
    before = "\u2026" if start else ""
    after = "\u2026" if start + len(text) < len(content) else ""
    return Markup("{}{}{}").format(before, mark_hits(text, pattern), after)


def mark_hits(text: str, pattern: re.Pattern[str] | None) -> Markup:
    """Escape a text, with its hits as marks."""
    if pattern is None:
        return escape(text)
    parts, end = list[Markup](), 0
    for hit in pattern.finditer(text):
        parts += [escape(text[end : hit.start()]), Markup("<mark>{}</mark>").format(hit.group())]
        end = hit.end()
    return Markup().join([*parts, escape(text[end:])])
