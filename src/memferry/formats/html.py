"""HTML: one page to read, search and print, by namespace and thread; it needs nothing else.

Every text of a memory is escaped, and the page's own policy lets no script and no style run but its
two, which it names by their digests, and nothing be loaded (https://www.w3.org/TR/CSP3/).
"""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from importlib import resources
from typing import LiteralString

from memferry.formats.base import Order, TextFormat
from memferry.formats.document import HEADING, ISO, join, join_if, render_time
from memferry.formats.document_parts import DocumentCut
from memferry.formats.variant import FIELDS, describe_missing

_READABLE: LiteralString = "YYYY-MM-DD HH24:MI:SS"


def _escape(text: LiteralString) -> LiteralString:
    """The SQL expression of a text as HTML, for no attribute; a raw CR would become LF."""
    for char, reference in ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"):
        text = f"replace({text}, '{char}', '{reference}')"
    return rf"replace({text}, E'\r', '&#13;')"


def _render_time(column: LiteralString) -> LiteralString:
    """The SQL expression of a time: for programs to the millisecond, for people to the second."""
    return join(
        """'<time datetime="'""",
        render_time(column, ISO),
        f"'.', lpad(({column} % 1000)::text, 3, '0')",
        """'Z">'""",
        render_time(column, _READABLE),
        "' UTC</time>'",
    )


_TAGS: LiteralString = """(
    SELECT string_agg(concat('<li><bdi>', {tag}, '</bdi></li>'), '' ORDER BY number)
    FROM unnest(tags) WITH ORDINALITY AS every (tag, number)
)""".replace("{tag}", _escape("tag"))
_RECORD: LiteralString = join(
    join_if(
        "begins_namespace",
        """'<section class="namespace"><h2 dir="auto">'""",
        _escape("namespace"),
        r"E'</h2>\n'",
    ),
    join_if(
        "in_thread AND begins_thread",
        """'<section class="thread"><h3 dir="auto">'""",
        _escape(HEADING),
        r"E'</h3>\n'",
    ),
    """'<article id="m-', id, '"><header>'""",
    _render_time("created_at"),
    join_if("updated_at <> created_at", "', changed '", _render_time("updated_at")),
    """' <span class="source"><bdi>', """ + _escape("source") + ", '</bdi>'",
    join_if("source_ref <> ''", "', <bdi>'", _escape("source_ref"), "'</bdi>'"),
    "'</span>'",
    join_if("tags <> '{}'", "' <ul>'", _TAGS, "'</ul>'"),
    """'</header><div class="text" dir="auto">'""",
    _escape("content"),
    "'</div></article>'",
    "CASE WHEN in_thread AND ends_thread THEN '</section>' END",
    "CASE WHEN ends_namespace THEN '</section>' END",
)


def _read_file(name: str) -> str:
    return resources.files("memferry.formats").joinpath("page", name).read_text(encoding="utf-8")


def _allow(text: str) -> str:
    """The source of a policy that allows this inline text, and no other."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _make_head() -> bytes:
    style, script = _read_file("style.css"), _read_file("search.js")
    policy = (
        f"default-src 'none'; style-src {_allow(style)}; script-src {_allow(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    parts = {"{policy}": policy, "{style}": style, "{script}": script}
    text = _read_file("head.html")
    for mark, part in parts.items():
        text = text.replace(mark, part)
    return text.encode()


_WHOLE = TextFormat(
    name="html",
    extension="html",
    media_type="text/html; charset=utf-8",
    order=Order.THREADS,
    columns=_RECORD,
    head=_make_head(),
    separator=b"\n",
    ends_with_separator=True,
    tail=b"</main>\n</body>\n</html>\n",
    leaves_out=describe_missing(set(FIELDS) - {"metadata"}),
)
# No text of a memory has a `<` or a `>` of its own.
_OPENINGS = re.compile(
    rb'(<section class="namespace"><h2 dir="auto">[^<]*</h2>\n)?'
    rb'(<section class="thread"><h3 dir="auto">[^<]*</h3>\n)?<article '
)
_CLOSING = b"</section>"


class HtmlOutline:
    """The sections that are open behind a record, each with its heading."""

    def __init__(self) -> None:
        self._open: list[bytes] = []

    def reopen(self, record: bytes) -> bytes:  # noqa: ARG002 - it shows only what it opens itself
        """The sections that the page before had to close."""
        return b"".join(self._open)

    def enter(self, record: bytes) -> None:
        """Note which sections the record opens and closes."""
        openings = _OPENINGS.match(record)
        if openings is None:
            raise AssertionError("a record that is no article")
        self._open += filter(None, openings.groups())
        closed = record.rpartition(b"</article>")[2].count(_CLOSING)
        self._open = self._open[: len(self._open) - closed]

    def close(self) -> bytes:
        """The ends of the sections that are open."""
        return _CLOSING * len(self._open)


HTML = replace(_WHOLE, cut=DocumentCut(_WHOLE, HtmlOutline))
