"""The endpoints of single memories, and the bulk save of older clients."""

from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from memferry.erasure.memories import MemoryErasure
from memferry.errors import MemoryNotFound
from memferry.http.answers import answer_pieces
from memferry.http.auth import Access
from memferry.http.bodies import read_body, read_large_body
from memferry.http.bulk import BulkRows
from memferry.http.parameters import PURGE
from memferry.http.reading import (
    get_caller,
    read_flag,
    read_query,
    require_uuid,
    run_by_size,
)
from memferry.http.routing import Operation
from memferry.http.views import answer_json, show_purged
from memferry.memories.service import Memories
from memferry.memories.validation import check_change, check_memory
from memferry.model import strict_json
from memferry.wire.memories import BulkSave, BulkSaveResult, MemoryChange, MemoryRow, NewMemory

BULK_PATH = "/v1/memories/bulk"
# JSON may spell one byte of text with six (\u0041); content and metadata together stay below this.
_BODY_BYTES = 16 * 1024 * 1024
_BULK_BYTES = 128 * 1024 * 1024
_READ = Access(("memories:read",))
_WRITE = Access(("memories:write",))
_new_memory = msgspec.json.Decoder(NewMemory)
_change = msgspec.json.Decoder(MemoryChange)
_operation = partial(Operation, tag="memories")


class MemoryEndpoints:
    """Saves, shows, changes and deletes memories."""

    def __init__(self, memories: Memories, erasure: MemoryErasure) -> None:
        self._memories = memories
        self._erasure = erasure

    def operations(self) -> list[Operation]:
        """All addresses of single memories."""
        one = "/api/memories/{memory_id}"
        return [
            _operation(
                "POST /api/memories", self.save_memory, MemoryRow, status=201, errors=(413,),
                body=NewMemory, access=_WRITE,
            ),
            _operation(f"GET {one}", self.get_memory, MemoryRow, errors=(404,), access=_READ),
            _operation(
                f"PATCH|PUT {one}", self.change_memory, MemoryRow, errors=(404, 413),
                body=MemoryChange, access=_WRITE,
            ),
            _operation(
                f"DELETE {one}", self.delete_memory, status=204, errors=(404,),
                parameters=(PURGE,), access=_WRITE,
            ),
            _operation(
                f"POST {BULK_PATH}", self.save_bulk, BulkSaveResult, errors=(413,), body=BulkSave,
                access=_WRITE,
            ),
        ]  # fmt: skip

    async def save_memory(self, request: Request) -> Response:
        """Save one memory, byte for byte; saving it twice makes two memories."""
        body = await read_body(request, _BODY_BYTES)
        new = await run_by_size(
            len(body), lambda: check_memory(strict_json.decode(_new_memory, body))
        )
        row = await self._memories.save(get_caller(request), new)
        return await answer_pieces(request, [row.encode()], 201)

    async def get_memory(self, request: Request, memory_id: str) -> Response:
        """One memory."""
        row = await self._memories.get(
            get_caller(request), require_uuid(memory_id, MemoryNotFound())
        )
        return await answer_pieces(request, [row.encode()])

    async def change_memory(self, request: Request, memory_id: str) -> Response:
        """Change the given fields. Metadata is merged at its top level; null removes a key."""
        body = await read_body(request, _BODY_BYTES) or b"{}"
        change = await run_by_size(
            len(body), lambda: check_change(strict_json.decode(_change, body))
        )
        row = await self._memories.change(
            get_caller(request), require_uuid(memory_id, MemoryNotFound()), change
        )
        return await answer_pieces(request, [row.encode()])

    async def delete_memory(self, request: Request, memory_id: str) -> Response:
        """Delete one memory, and with `purge_exports=true` the stored exports that may hold it.

        `Memferry-Purged-Exports` then tells how many lost their bytes; they are `expired` and have
        `purged_at`. Exports that are being written start again without the memory.
        """
        purge = read_flag(read_query(request), "purge_exports")
        purged = await self._erasure.delete(
            get_caller(request), require_uuid(memory_id, MemoryNotFound()), purge=purge
        )
        return Response(status_code=204, headers=show_purged(purged))

    async def save_bulk(self, request: Request) -> Response:
        """Save up to 10,000 rows; rows that break a rule are counted and named, not saved.

        Every row gets a new id, whatever id it brings. `ids` are those of the rows in their order,
        null for one that was not saved.
        """
        rows = await BulkRows.read(await read_large_body(request, _BULK_BYTES))
        saved = await self._memories.save_many(get_caller(request), rows.batches, most=len(rows))
        rows.refuse_empty(saved)
        return answer_json(
            BulkSaveResult(
                saved=len(saved),
                errors=len(rows.failures),
                ids=rows.place_ids(saved),
                failures=rows.failures,
            )
        )
