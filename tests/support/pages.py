"""A strict reader of exported pages, and what they have to hold; shares no code with the format."""

from html.parser import HTMLParser
from typing import Any

from support.documents import Part, Row, show_time

_VOID = {"meta", "input"}


class Page(HTMLParser):
    """The parts of a page; every element must be closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        """Every element with its attributes."""
        self.parts: list[Part] = []
        self.shown: list[str] = []
        """The ids of articles that no search has hidden."""
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self._texts: list[str] = []
        self._headings: dict[str, str | None] = {}
        self._row: dict[str, Any] = {}
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element, and begin the row of an article."""
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag in _VOID:
            return
        self._open.append((tag, attributes))
        self._texts.append("")
        if tag == "article":
            self._row = {"id": attributes["id"], "tags": [], "sources": [], "times": []}
        elif tag == "time":
            self._row["times"].append(attributes["datetime"])

    def handle_data(self, data: str) -> None:
        """Add to the text of the innermost element."""
        if self._texts:
            self._texts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        """Keep the text of the element as what it is."""
        name, attributes = self._open.pop()
        assert name == tag
        text = self._texts.pop()
        if tag in ("h2", "h3"):
            self._headings[tag] = text
        elif tag == "section":
            self._headings["h3"] = None
        elif tag == "bdi":
            self._row["tags" if self._open[-1][0] == "li" else "sources"].append(text)
        elif tag == "div":
            self._row["content"] = text
        elif tag == "article":
            self._add_row(hidden="hidden" in attributes)

    def _add_row(self, *, hidden: bool) -> None:
        namespace, thread = str(self._headings.get("h2")), self._headings.get("h3")
        row = self._row | {"created_at": self._row["times"][0]}
        if not hidden:
            self.shown.append(row["id"])
        last = self.parts[-1] if self.parts else None
        if last and thread is not None and (last.namespace, last.thread) == (namespace, thread):
            self.parts[-1] = Part(namespace, thread, [*last.rows, row])
        else:
            self.parts.append(Part(namespace, thread, [row]))


def show_part(part: Part) -> Part:
    """A part as a page has it."""
    return Part(part.namespace, part.thread, [_show_row(row) for row in part.rows])


def _show_row(row: Row) -> Row:
    times = [
        f"{show_time(epoch_ms, '%Y-%m-%dT%H:%M:%S')}.{epoch_ms % 1000:03}Z"
        for epoch_ms in dict.fromkeys((row["created_at"], row["updated_at"]))
    ]
    return {
        "id": f"m-{row['id']}",
        "tags": row["tags"],
        "times": times,
        "sources": [row["source"], *([row["source_ref"]] if row["source_ref"] else [])],
        "content": row["content"],
        "created_at": times[0],
    }
