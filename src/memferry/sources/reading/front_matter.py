"""Front matter: the YAML between two `---` lines at the beginning of a Markdown file.

Every scalar stays the text that it is: YAML would make 83 of `0123`, and 1.1 of `1.10`. Aliases are
refused, and so is what nests deep: a few lines of them can stand for gigabytes.
"""

import re
from typing import Any

import yaml

from memferry.model.rules import METADATA_BYTES

MOST_BYTES = 4 * METADATA_BYTES
"""The longest front matter that is read: that of our own export holds metadata in it."""
_MOST_DEPTH = 32
_MOST_NODES = 100_000
_OPENING = re.compile(r"---[ \t]*\r?\n")
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*\r?(?:\n|\Z)", re.MULTILINE)


class UnreadableFrontMatter(ValueError):
    """The text is no mapping of YAML, or uses what is refused; says why."""


def split_front_matter(text: str) -> tuple[str | None, str]:
    """The YAML at the beginning of a text, and all that follows its closing line, unchanged.

    None and the whole text if there is no front matter.
    """
    opening = _OPENING.match(text)
    if opening is None:
        return None, text
    closing = _CLOSING.search(text, opening.end(), opening.end() + MOST_BYTES)
    if closing is None:
        return None, text
    return text[opening.end() : closing.start()], text[closing.end() :]


def parse_front_matter(text: str) -> dict[str, Any]:
    """Read a mapping of texts, lists and mappings; raises UnreadableFrontMatter."""
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=yaml.CBaseLoader):
            builder.add(event)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        line = "" if mark is None else f" in line {mark.line + 1}"
        problem = getattr(fault, "problem", None) or getattr(fault, "reason", "is no YAML")
        raise UnreadableFrontMatter(f"{problem}{line}") from fault
    if builder.documents == 0:
        return {}
    if builder.documents > 1 or not isinstance(builder.value, dict):
        raise UnreadableFrontMatter("is no mapping")
    return builder.value


class _Builder:
    """Makes a value of the parser's events, without recursion and without aliases."""

    def __init__(self) -> None:
        self.documents = 0
        self.value: Any = None
        self._containers: list[dict[str, Any] | list[Any]] = []
        self._keys: list[str | None] = []
        self._nodes = 0

    def add(self, event: Any) -> None:
        """Take the next event."""
        match event:
            case yaml.AliasEvent():
                raise UnreadableFrontMatter("aliases are not read")
            case yaml.DocumentStartEvent():
                self.documents += 1
            case yaml.ScalarEvent(value=text):
                self._put(text)
            case yaml.MappingStartEvent():
                self._enter({})
            case yaml.SequenceStartEvent():
                self._enter([])
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._containers.pop()
                self._keys.pop()

    def _enter(self, container: dict[str, Any] | list[Any]) -> None:
        if len(self._containers) == _MOST_DEPTH:
            raise UnreadableFrontMatter(f"nests deeper than {_MOST_DEPTH} levels")
        self._put(container)
        self._containers.append(container)
        self._keys.append(None)

    def _put(self, value: Any) -> None:
        """Put a value where it belongs: a key, the value of a key, an item, or the whole."""
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise UnreadableFrontMatter(f"has more than {_MOST_NODES} values")
        if not self._containers:
            self.value = value
            return
        container, key = self._containers[-1], self._keys[-1]
        if isinstance(container, list):
            container.append(value)
        elif key is not None:
            container[key] = value
            self._keys[-1] = None
        elif not isinstance(value, str):
            raise UnreadableFrontMatter("a key is no text")
        elif value in container:
            raise UnreadableFrontMatter(f"the key {value[:100]!r} is given twice")
        else:
            self._keys[-1] = value
