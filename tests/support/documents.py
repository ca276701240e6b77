"""What documents for people hold, in which order, in plain Python; and memories to try it on."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from support.memories import AWKWARD

Row = Mapping[str, Any]
MARKUP = (
    "# heading",
    "a\n# heading\n\n## another",
    "```\ncode\n```",
    "~~~\ncode",
    "`" * 7 + " and ` and ```",
    "text\n" + "`" * 40 + "\nmore",
    "> quote",
    "- item\n- item",
    "1. one",
    "7) seven",
    "+ plus",
    "a\n===",
    "---",
    "***bold*** _em_ ~~gone~~ ==mark== %%hidden%% $math$ ^up^ {.class}",
    "| a | b |\n| - | - |\n| c | d |",
    "[link](http://127.0.0.1:1/) ![image](http://127.0.0.1:1/x.png) <http://127.0.0.1:1/>",
    "[name]: http://127.0.0.1:1/ 'title'",
    "[name][] [^1] \n\n[^1]: note",
    "<script>document.title = 'run'</script>",
    "<img src=x onerror=\"document.title = 'run'\">",
    "</div></article></section></main><h1>broken out</h1>",
    "<!-- never closed",
    "<plaintext>",
    "<style>* { display: none }</style>",
    "]]> <![CDATA[",
    "&lt;b&gt; &amp; &#x3C; &nope; &",
    "\\# \\\\ \\",
    "    indented code",
    "\ttab",
    "line with two blanks  \nand a break\\\nand more",
    "trailing blank ",
    "\u202eright to left\u202c \u2066isolate",
    "http://127.0.0.1:1/auto www.example.com :tea:",
    "%%hidden%% ::: note",
    "--- \ntitle: x\n---",
    "\n\nblank lines\n\n",
    "'single' \"double\" `back` = > <",
    "{{ template }} {% raw %} <%= x %>",
)


def make_rows() -> list[dict[str, Any]]:
    """Rows of all kinds of text in every place, some of them in threads; times often equal."""
    texts = [*AWKWARD, *MARKUP]
    rows: list[dict[str, Any]] = [
        {
            "content": text,
            "namespace": text if i % 4 == 0 else f"namespace {i % 3}",
            "tags": [text, "a, b"] * (i % 2),
            "source": text,
            "source_ref": text if i % 3 else None,
            "metadata": {"parent_ref": texts[i // 2]} if i % 5 == 0 else None,
            "created_at": 1_700_000_000_000 + i % 7 * 1001,
        }
        for i, text in enumerate(texts)
    ]
    shared = {"namespace": "namespace 1", "source_ref": "m-1"}
    rows += [{"content": f"part {i}", **shared, "created_at": 1000 * i} for i in (5, 0, 3)]
    rows += [
        {"content": "by parent", "namespace": "namespace 1", "metadata": {"parent_ref": "m-1"}},
        {"content": "of none", "metadata": {"parent_ref": ["m-1"]}, "source_ref": "lonely"},
        {"content": "elsewhere", "namespace": "namespace 2", "source_ref": "m-1"},
    ]
    return rows


@dataclass(frozen=True)
class Part:
    """A piece of a document: the rows of one thread, or one row that stands alone."""

    namespace: str
    thread: str | None
    rows: Sequence[Row]


def arrange(rows: Sequence[Row]) -> Iterator[Part]:
    """The parts of a document of these rows, in the documented order."""
    by_namespace = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["created_at"], row["id"])):
        by_namespace[row["namespace"].encode()].append(row)
    for _, members in sorted(by_namespace.items()):
        yield from sorted(_find_parts(members), key=lambda part: part.rows[0]["created_at"])


def _find_parts(rows: Sequence[Row]) -> Iterator[Part]:
    parts: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        parent = _find_parent(row)
        reference = row["source_ref"] if parent is None else parent
        parts[f"i {row['id']}" if reference is None else f"r {reference}"].append(row)
    for name, members in parts.items():
        is_thread = len(members) > 1 or _find_parent(members[0]) is not None
        yield Part(rows[0]["namespace"], name[2:] if is_thread else None, members)


def _find_parent(row: Row) -> str | None:
    parent = (row["metadata"] or {}).get("parent_ref")
    return parent if isinstance(parent, str) else None


def sort_within_times(parts: Sequence[Part]) -> list[list[Part]]:
    """Neighbours that began in the same millisecond, together: their order is not documented."""
    runs = groupby(parts, lambda part: (part.namespace, part.rows[0]["created_at"]))
    return [sorted(run, key=lambda part: part.rows[0]["id"]) for _, run in runs]


def show_time(epoch_ms: int, pattern: str) -> str:
    """A time in UTC."""
    return datetime.fromtimestamp(epoch_ms // 1000, UTC).strftime(pattern)
