"""The fields of a foreign record, taken one by one; what nobody takes goes into its metadata."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from memferry.model.json_text import decode_plain

TEXT_NAMES = ("content", "memory", "text", "data", "fact", "value", "summary")
"""Where the text of a memory stands, in other stores; the first one counts."""
_METADATA_NAMES = ("metadata", "custom_metadata", "meta")
# What a store has computed of the text, for itself.
_EMBEDDINGS = frozenset(["embedding", "embeddings", "vector", "name_embedding", "fact_embedding"])
# LangMem nests twice; no store was seen that nests deeper.
_MOST_NESTED = 3
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_T = TypeVar("_T")


class Fields:
    """The members of one JSON object, as text, until they are taken."""

    def __init__(self, members: Mapping[str, Raw]) -> None:
        self._members = {name: raw for name, raw in members.items() if bytes(raw) != b"null"}

    @property
    def names(self) -> list[str]:
        """The names that are left."""
        return list(self._members)

    def take(self, kind: type[_T], *names: str) -> _T | None:
        """The first of the named members that is of that type; it is there no more."""
        for name in names:
            value = self.look(name)
            if isinstance(value, kind) and not isinstance(value, bool):
                del self._members[name]
                return value
        return None

    def look(self, name: str) -> Any:
        """The value of a member, which stays; None: there is none."""
        raw = self._members.get(name)
        return None if raw is None else decode_plain(bytes(raw))

    def has_texts(self, *names: str) -> bool:
        """Whether all of these members are texts."""
        return all(isinstance(self.look(name), str) for name in names)

    def drop(self, name: str) -> None:
        """Remove a member."""
        del self._members[name]

    def take_id(self, *names: str) -> str | None:
        """The first of the named members that is a text, or else a whole number."""
        number = None
        if (text := self.take(str, *names)) is None:
            number = self.take(int, *names)
        return str(number) if number is not None else text or None

    def put(self, name: str, value: Any) -> None:
        """Put a value in the place of a member."""
        self._members[name] = Raw(msgspec.json.encode(value))

    def take_text(self) -> str | None:
        """The text of the memory; what stands beside it in nested objects is left."""
        for name in TEXT_NAMES:
            value = self.look(name)
            text, rest = _split_text(value)
            if text is not None:
                del self._members[name]
                if rest:
                    self.put(name, rest)
                return text
        return None

    def take_tags(self, *names: str) -> list[str]:
        """The tags under the first of the names that holds a list of texts."""
        for name in names:
            value = self.look(name)
            if isinstance(value, list) and all(isinstance(tag, str) for tag in value):
                del self._members[name]
                return list(dict.fromkeys(value))
        return []

    def drop_embeddings(self) -> int:
        """Drop what was computed of the text; answers how many."""
        names = _EMBEDDINGS & self._members.keys()
        for name in names:
            del self._members[name]
        return len(names)

    def take_metadata(self) -> tuple[str | None, dict[str, Any]]:
        """All that is left: metadata as JSON text, and what has no room there.

        Own metadata keeps its keys, and every other member joins it under its name, unless that
        is taken.
        """
        metadata = dict[str, Raw]()
        for name in _METADATA_NAMES:
            raw = self._members.get(name)
            if raw is not None and bytes(raw).startswith(b"{"):
                metadata.update(_MEMBERS.decode(self._members.pop(name)))
        clashes = dict[str, Any]()
        for name, raw in self._members.items():
            if bytes(metadata.setdefault(name, raw)) != bytes(raw):
                clashes[name] = self.look(name)
        return (msgspec.json.encode(metadata).decode() if metadata else None), clashes


def _split_text(value: Any, nested: int = 0) -> tuple[str | None, Any]:
    """The text in a value, and what else is in it."""
    if isinstance(value, str):
        return value, None
    if isinstance(value, list):
        return _join_parts(value)
    if isinstance(value, dict) and nested < _MOST_NESTED:
        for name in ("parts", *TEXT_NAMES):
            text, rest = _split_text(value.get(name), nested + 1)
            if text is not None:
                others = {key: item for key, item in value.items() if key != name}
                return text, {**others, name: rest} if rest else others
    return None, None


def _join_parts(parts: list[Any]) -> tuple[str | None, Any]:
    """The texts of a list such as `[{"text": "…"}]`, and its other parts."""
    texts = list(_find_texts(parts))
    if not texts:
        return None, None
    others = [part for part in parts if not list(_find_texts([part]))]
    return "\n".join(texts), others


def _find_texts(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        text = part.get("text") if isinstance(part, dict) else part
        if isinstance(text, str):
            yield text
