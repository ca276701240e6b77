"""Batches of operations, checked as a whole before anything is embedded or sent.

All reads of a batch come before its writes, and of several writes of one key the last one counts:
as in the published stores.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from langgraph.store.base import Op, PutOp, SearchOp
from langgraph.store.base import validate_op_namespace as check_labels

from memferry.integrations.exact_values import encode_value
from memferry.integrations.langgraph.items import ItemPut, make_ttl_ms
from memferry.integrations.langgraph.value_filters import check_filter
from memferry.integrations.langgraph.vector_index import VectorIndex


@dataclass(frozen=True)
class Batch:
    """The operations of a batch, and the last put of each key: the one that counts."""

    operations: list[Op]
    puts: list[ItemPut]

    def list_texts(self) -> list[str]:
        """List the texts to embed, each once."""
        texts = (text for put in self.puts for text in (put.texts or {}).values())
        return list(dict.fromkeys(texts))

    def list_queries(self) -> list[str]:
        """List the queries to embed, each once."""
        searches = (search for search in self.operations if isinstance(search, SearchOp))
        return [query for query in dict.fromkeys(map(read_query, searches)) if query]


def make_batch(operations: Iterable[Op], index: VectorIndex | None) -> Batch:
    """Make a batch; raises InvalidNamespaceError, and Invalid for a wrong part of one."""
    batch = list(operations)
    for operation in batch:
        check_labels(operation)
        if isinstance(operation, SearchOp):
            check_filter(operation.filter)
    last = {(put.namespace, put.key): put for put in batch if isinstance(put, PutOp)}
    return Batch(batch, [_make_put(put, index) for put in last.values()])


def read_query(search: SearchOp) -> str:
    """Read the query of a search; empty if it has none."""
    return (search.query or "").strip()


def _make_put(put: PutOp, index: VectorIndex | None) -> ItemPut:
    # The value is checked before paths look into it.
    content = None if put.value is None else encode_value(put.value)
    ttl_ms = None if put.ttl is None else make_ttl_ms(put.ttl)
    if index is None or content is None or put.index is False:
        return ItemPut(put, content, ttl_ms, None)
    return ItemPut(put, content, ttl_ms, index.list_texts(put))
