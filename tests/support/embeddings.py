"""Embeddings that need no model: words are counted by what they mean."""

import re
from collections.abc import Iterable
from typing import Any, cast

from langchain_core.embeddings import Embeddings

from memferry.integrations.langgraph.vector_index import VectorIndexConfig

_MEANINGS = (
    {"tea", "coffee", "drink"},
    {"apple", "pear", "fruit"},
    {"car", "bus", "vehicle"},
    {"red", "crimson"},
    {"green", "emerald"},
)
DIMS = len(_MEANINGS) + 1


def embed_text(text: str) -> list[float]:
    """How many words of a text have each meaning, and a little of each other word."""
    words = re.findall(r"\w+", text.lower())
    counts = [float(sum(word in meaning for word in words)) for meaning in _MEANINGS]
    return [*counts, (len(words) - sum(counts)) / 8]


class MeaningEmbeddings(Embeddings):
    """Embeds texts as a model would, and keeps what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.queries: list[str] = []

    def embed_documents(self, texts: Iterable[str]) -> list[list[float]]:
        self.batches.append(list(texts))
        return [embed_text(text) for text in self.batches[-1]]

    def embed_query(self, text: str) -> list[float]:
        self.queries.append(text)
        return embed_text(text)


def make_index(model: Any = None, **more: Any) -> VectorIndexConfig:
    """An index of the field `text`, unless `more` says otherwise."""
    usual = {"dims": DIMS, "embed": model or MeaningEmbeddings(), "fields": ["text"]}
    return cast("VectorIndexConfig", usual | more)
