"""A retriever of LangChain that finds memories; the extra is memferry[langchain]."""

import asyncio
from typing import Any

from memferry.client import AsyncClient, Client
from memferry.errors import Invalid, NotInstalled
from memferry.wire.memories import Hit

try:
    from langchain_core.callbacks import (
        AsyncCallbackManagerForRetrieverRun,
        CallbackManagerForRetrieverRun,
    )
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
    from pydantic import ConfigDict, Field
except ModuleNotFoundError as fault:
    text = "langchain-core is not installed: pip install 'memferry[langchain]'"
    raise NotInstalled(text) from fault


class MemferryRetriever(BaseRetriever):
    """Finds the memories that share words with a query, best first, as documents.

    `filters` are those of `client.memories.search`. A Client serves `invoke`, and `ainvoke` in a
    thread; an AsyncClient serves `ainvoke`. Both take another `k`. Raises the errors of the client.
    """

    # A name that is mistaken, such as filter, must not find more than it was meant to.
    model_config = ConfigDict(extra="forbid")

    client: Client | AsyncClient
    k: int = Field(default=5, ge=1, le=100)
    """How many documents, at most."""
    filters: dict[str, Any] = Field(default_factory=dict)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        del run_manager  # it is told by the class above
        if not isinstance(self.client, Client):
            raise Invalid("client", "an AsyncClient is awaited: use ainvoke")
        most = self.k if k is None else k
        hits = self.client.memories.search(query, k=most, **self.filters)
        return [_make_document(hit) for hit in hits]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        if not isinstance(self.client, AsyncClient):
            manager = run_manager.get_sync()
            find = self._get_relevant_documents
            return await asyncio.to_thread(find, query, run_manager=manager, k=k)
        most = self.k if k is None else k
        hits = await self.client.memories.search(query, k=most, **self.filters)
        return [_make_document(hit) for hit in hits]


def _make_document(hit: Hit) -> Document:
    """Make a document; its metadata is all of the memory but its content."""
    metadata = {
        "namespace": hit.namespace,
        "tags": hit.tags,
        "source": hit.source,
        "source_ref": hit.source_ref,
        "metadata": hit.metadata,
        "created_at": hit.created_at,
        "updated_at": hit.updated_at,
        "score": hit.score,
    }
    return Document(id=str(hit.id), page_content=hit.content, metadata=metadata)
