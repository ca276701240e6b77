"""How a search ranks: the weights of words, and which rows are scored. No I/O.

The weights are those of BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25
and Beyond", 2009); docs/search.md explains the rest.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

WEIGHED_WORDS = 32
"""The most words of a query that have a weight."""
SCORED_ROWS = 500
"""How many rows of a large selection are scored, about."""
SMALL_ROWS = 1_000
"""How many rows a small selection has at most; all of them are scored."""
HALF = SCORED_ROWS // 2
"""How many may come from the rare words, from common words together, or from the newest rows."""

# Each combination is a condition for the index: of four words there are six pairs.
_COMBINED_WORDS = 4
_FIRST = (-(2**63), UUID(int=0))

_Count = Annotated[int, Meta(ge=0, le=2**53)]
_Time = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a query, in the language of PostgreSQL's tsquery."""

    keys: str
    """Finds it in the index."""
    word: str
    """Finds it in a text, as it is written."""
    stem: str
    """Finds any word of its stem in a text, or any that begins so."""
    is_weighed: bool


class Ranking(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the first page of a search decides. Cursors carry it, so that all pages agree."""

    all_rows: _Count
    counts: Annotated[tuple[_Count, ...], Meta(max_length=WEIGHED_WORDS)]
    """In how many rows each weighed word is, in the order of the words."""
    way: Literal["every", "small", "leading", "newest"] = "every"
    """Scored is every row with a weighed word; every row of a small selection; rows with leading
    words; the newest rows."""
    together: Annotated[int, Meta(ge=0, le=_COMBINED_WORDS)] = 0
    """How many common words lead where they come together; 0: they do not lead."""
    since: tuple[_Time, UUID] = _FIRST
    """The oldest row that may be scored."""

    def fits(self, words: Sequence[Word]) -> bool:
        """Whether it can be the ranking of a search for these words."""
        if len(self.counts) != sum(word.is_weighed for word in words) or not self.counts:
            return False
        leads = bool(self.rare or self.together) or self.way != "leading"
        return leads and self.together <= len(self._common)

    @property
    def weights(self) -> list[float]:
        """The weight of each weighed word: its inverse document frequency."""
        rows = self._rows
        return [math.log1p((rows - count + 0.5) / (count + 0.5)) for count in self.counts]

    @property
    def _rows(self) -> int:
        """Rows may have been added since they were counted."""
        return max(self.all_rows, *self.counts)

    @property
    def uses_index(self) -> bool:
        """Whether the index of words finds the rows that are scored."""
        return self.way in {"every", "leading"}

    @property
    def finds_few(self) -> bool:
        """Whether every row with a weighed word can be scored."""
        return sum(self.counts) <= SCORED_ROWS or self._rows <= SMALL_ROWS

    @property
    def rare(self) -> list[int]:
        """The places of words that lead alone, since half of the scored rows can hold them all."""
        places = self._order
        sums = accumulate(self.counts[place] for place in places)
        return [place for place, rows in zip(places, sums, strict=True) if rows <= HALF]

    @property
    def _order(self) -> list[int]:
        return sorted(range(len(self.counts)), key=lambda place: (self.counts[place], place))

    @property
    def _common(self) -> list[int]:
        return self._order[len(self.rare) :][:_COMBINED_WORDS]

    def pick_common(self, words: Sequence[Word]) -> list[Word]:
        """The rarest of the words that cannot lead alone."""
        weighed = [word for word in words if word.is_weighed]
        return [weighed[place] for place in self._common]

    def pick_rare(self, words: Sequence[Word]) -> list[Word]:
        """The words that lead alone."""
        weighed = [word for word in words if word.is_weighed]
        return [weighed[place] for place in self.rare]

    def estimate_together(self, number: int) -> float:
        """The rows that hold so many common words, if words came independently of each other."""
        chances = [1.0]
        for place in self._common:
            share = self.counts[place] / max(self._rows, 1)
            chances = [
                have * (1 - share) + fewer * share
                for have, fewer in zip([*chances, 0.0], [0.0, *chances], strict=True)
            ]
        return self._rows * sum(chances[number:])


def match_any(words: Sequence[Word]) -> str:
    """The query of rows that hold any of the words."""
    return " | ".join(f"({word.keys})" for word in words)


def match_together(words: Sequence[Word], number: int) -> str:
    """The query of rows that hold at least so many of the words."""
    return " | ".join(
        " & ".join(f"({word.keys})" for word in chosen) for chosen in combinations(words, number)
    )


def match_leading(words: Sequence[Word], ranking: Ranking) -> str:
    """The query of the rows that are scored."""
    if ranking.way == "every":
        return match_any([word for word in words if word.is_weighed])
    if ranking.way != "leading":
        return match_any(words)
    queries = [match_any(ranking.pick_rare(words))]
    if ranking.together:
        queries.append(match_together(ranking.pick_common(words), ranking.together))
    return " | ".join(query for query in queries if query)


def match_others(words: Sequence[Word], ranking: Ranking) -> str | None:
    """The query of the rows that are found and not scored; None if there are none.

    Of the newest way these are all older ones.
    """
    is_complete = ranking.way == "every" and all(word.is_weighed for word in words)
    if is_complete or ranking.way == "small":
        return None
    if ranking.way == "newest":
        return match_any(words)
    return f"({match_any(words)}) & !({match_leading(words, ranking)})"
