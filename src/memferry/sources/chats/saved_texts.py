"""Texts that an export repeats from conversation to conversation: each becomes one memory."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from memferry.sources.base import Journal, Place, Record

SAVED_MEMORY = "saved-memory"
"""The tag of what a person let an assistant remember."""
CUSTOM_INSTRUCTIONS = "custom-instructions"
"""The tag of what a person has written for an assistant to follow."""
_MOST_CHARACTERS = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedText:
    """One appearance of a text."""

    tag: str
    text: str
    place: Place
    created_at: int | None
    is_exact: bool = True
    """Whether the time is exact, and not the beginning of a day."""
    source_ref: str | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """The smaller, the better is its time: an exact one first, then the earliest."""
        return self.created_at is None, not self.is_exact, self.created_at or 0


class SavedTexts:
    """All distinct texts of an input, each with the best time under which it appeared."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._texts = dict[tuple[str, str], SavedText]()
        self._characters = 0

    def add(self, saved: SavedText) -> None:
        """Add an appearance; a text that appears again is counted as left out."""
        key = (saved.tag, saved.text.strip())
        known = self._texts.get(key)
        if known is not None:
            self._journal.leave_out(f"repeated {saved.tag}")
        elif not key[1]:
            return
        elif self._characters + len(saved.text) > _MOST_CHARACTERS:
            self._journal.reject(saved.place, f"more than {_MOST_CHARACTERS} characters of texts")
            return
        else:
            self._characters += len(saved.text)
        if known is None or saved.rank < known.rank:
            self._texts[key] = saved

    def make_records(self) -> Iterator[Record]:
        """Yield a record per text, in the order of their first appearance."""
        for (tag, text), saved in self._texts.items():
            time_from = {} if saved.created_at is None else {"time_from": "record"}
            yield Record(
                place=saved.place,
                content=saved.text,
                key=f"{tag}/{hashlib.sha256(text.encode()).hexdigest()}",
                tags=[tag],
                source_ref=saved.source_ref,
                origin={**saved.origin, **time_from},
                created_at=saved.created_at,
            )
