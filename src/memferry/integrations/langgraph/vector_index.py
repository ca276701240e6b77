"""The vectors of a store: which texts of a value have one, and who makes them.

The settings are those of LangGraph's own store on PostgreSQL.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_core.embeddings import Embeddings
from langgraph.store.base import (
    IndexConfig,
    PutOp,
    ensure_embeddings,
    get_text_at_path,
    tokenize_path,
)

from memferry.errors import Invalid
from memferry.integrations.langgraph.vectors import (
    DISTANCE_TYPES,
    VECTOR_TYPES,
    QueryVector,
    Vector,
    decode_vector,
    encode_vector,
)

_WHOLE = "$"


class VectorIndexConfig(IndexConfig, total=False):
    """Dimensions, embeddings and fields, how vectors are compared, and how they are kept."""

    distance_type: Literal["cosine", "inner_product", "l2"]
    ann_index_config: Mapping[str, Any]
    """`vector_type` is "vector" or "halfvec"; the rest tunes an index that is not needed here."""


@dataclass(frozen=True)
class Embedded:
    """What was embedded for a batch: vectors as text, by their texts, and those of queries."""

    texts: Mapping[str, str] = field(default_factory=dict)
    queries: Mapping[str, QueryVector] = field(default_factory=dict)


class VectorIndex:
    """Makes the vectors of items and of queries, all of a batch at once."""

    def __init__(self, config: VectorIndexConfig) -> None:
        """Raises Invalid, which names the setting."""
        self._dims = _read_dims(config)
        self._distance_type = _choose(config, "distance_type", DISTANCE_TYPES)
        more = config.get("ann_index_config") or {}
        self._vector_type = _choose(more, "vector_type", VECTOR_TYPES)
        self._paths = _split_paths(config.get("fields") or [_WHOLE])
        self.embeddings = _make_embeddings(config)

    def list_texts(self, put: PutOp) -> dict[str, str]:
        """List the texts of a value that have a vector, by their places in it."""
        paths = self._paths if put.index is None else _split_paths(put.index or ())
        texts = dict[str, str]()
        for path, tokens in paths.items():
            parts = get_text_at_path(put.value, tokens)
            several = [f"{path}.{number}" for number in range(len(parts))]
            texts |= zip([path] if len(parts) == 1 else several, parts, strict=True)
        return texts

    def embed(self, texts: Sequence[str], queries: Sequence[str]) -> Embedded:
        """Embed the texts and queries of a batch."""
        vectors = self.embeddings.embed_documents(list(texts)) if texts else []
        query_vectors = [self.embeddings.embed_query(query) for query in queries]
        return self._collect(texts, vectors, queries, query_vectors)

    async def await_embeddings(self, texts: Sequence[str], queries: Sequence[str]) -> Embedded:
        """Embed the texts and queries of a batch; all are awaited together."""
        vectors, query_vectors = await asyncio.gather(
            self._await_documents(texts),
            asyncio.gather(*map(self.embeddings.aembed_query, queries)),
        )
        return self._collect(texts, vectors, queries, query_vectors)

    async def _await_documents(self, texts: Sequence[str]) -> Sequence[Vector]:
        return await self.embeddings.aembed_documents(list(texts)) if texts else []

    def _collect(
        self,
        texts: Sequence[str],
        vectors: Sequence[Vector],
        queries: Sequence[str],
        query_vectors: Sequence[Vector],
    ) -> Embedded:
        if len(vectors) != len(texts):
            reason = f"embed answered {len(vectors)} vectors for {len(texts)} texts"
            raise Invalid("index", reason)
        return Embedded(
            dict(zip(texts, map(self._encode, vectors), strict=True)),
            dict(zip(queries, map(self._make_query, query_vectors), strict=True)),
        )

    def _encode(self, vector: Vector) -> str:
        if len(vector) != self._dims:
            reason = f"expected embeddings of {self._dims} dimensions, got {len(vector)}"
            raise Invalid("index", reason)
        return encode_vector(vector, self._vector_type)

    def _make_query(self, vector: Vector) -> QueryVector:
        """Make the vector of a query with the precision of those that it is compared with."""
        rounded = decode_vector(self._encode(vector), self._dims)
        return QueryVector(rounded or (), self._distance_type)


def _read_dims(config: VectorIndexConfig) -> int:
    dims = config.get("dims")
    if not isinstance(dims, int) or dims < 1:
        raise Invalid("index", f"dims: expected a number above 0, got {dims}")
    return dims


def _choose(settings: Mapping[str, Any], name: str, known: Sequence[str]) -> str:
    """Choose a setting; the first one that is known, if none is given."""
    value = settings.get(name) or known[0]
    if value not in known:
        raise Invalid("index", f"{name}: {value} is none of {', '.join(known)}")
    return str(value)


def _split_paths(paths: Any) -> dict[str, Any]:
    """Split paths into their steps; the whole value has none."""
    if isinstance(paths, str):
        paths = [paths]
    if not isinstance(paths, list | tuple) or not all(isinstance(path, str) for path in paths):
        raise Invalid("index", f"expected a list of paths, got {paths!r}")
    return {path: _WHOLE if path == _WHOLE else tokenize_path(path) for path in paths}


def _make_embeddings(config: VectorIndexConfig) -> Embeddings:
    try:
        return ensure_embeddings(config.get("embed"))
    except ValueError as fault:
        raise Invalid("index", f"embed: {fault}") from fault
