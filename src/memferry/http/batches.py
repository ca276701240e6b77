"""The endpoints that change or delete many memories at once."""

from collections.abc import Iterator, Mapping
from functools import partial
from uuid import UUID

import msgspec
from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response

from memferry.erasure.memories import MemoryErasure
from memferry.errors import Invalid, MemferryError, MemoryNotFound, TooLarge
from memferry.http.answers import answer_rows
from memferry.http.auth import Access
from memferry.http.bodies import read_body
from memferry.http.items import ItemBody
from memferry.http.parameters import PURGE
from memferry.http.reading import (
    get_caller,
    parse_uuid,
    read_flag,
    read_query,
    require_uuid,
    run_by_size,
)
from memferry.http.routing import Operation
from memferry.http.views import answer_json, show_purged
from memferry.memories.changes import MemoryBatches
from memferry.memories.validation import check_change
from memferry.model import strict_json
from memferry.model.memory import ValidChange
from memferry.wire.batches import (
    BATCH_CHANGES,
    BATCH_DELETIONS,
    BatchChange,
    BatchChangeResult,
    BatchDeletion,
    BatchDeletionResult,
    ChangeFailure,
    NamedChange,
)

PATH = "/api/memories/batch"
_CHANGES_BYTES = 16 * 1024 * 1024
_DELETIONS_BYTES = 1024 * 1024
_updates = ItemBody("updates", BATCH_CHANGES, "changes", strict=True)
_change = msgspec.json.Decoder(NamedChange)
_deletion = msgspec.json.Decoder(BatchDeletion)
_operation = partial(Operation, tag="memories", errors=(413,), access=Access(("memories:write",)))


class BatchEndpoints:
    """Changes and deletes many memories in one request."""

    def __init__(self, batches: MemoryBatches, erasure: MemoryErasure) -> None:
        self._batches = batches
        self._erasure = erasure

    def operations(self) -> list[Operation]:
        """The one address."""
        return [
            _operation(f"PUT {PATH}", self.change_batch, BatchChangeResult, body=BatchChange),
            _operation(
                f"DELETE {PATH}", self.delete_batch, BatchDeletionResult, body=BatchDeletion,
                parameters=(PURGE,),
            ),
        ]  # fmt: skip

    async def change_batch(self, request: Request) -> Response:
        """Change up to 200 memories, each as `PATCH` of one would.

        Changes that cannot be made are named in `failed`; all others are made together, or none if
        the request fails. `results` are the changed memories, in the order of the changes.
        """
        body = await read_body(request, _CHANGES_BYTES)
        batch = await run_by_size(len(body), lambda: _Changes(_updates.cut(body)))
        outcome = await self._batches.change(get_caller(request), batch.changes)
        failed = sorted(batch.list_failures(outcome.faults), key=lambda failure: failure.index)
        updated = len(batch.changes) - len(outcome.faults)
        head = b'{"updated":%d,"failed":%b,"results":[' % (updated, msgspec.json.encode(failed))
        return await answer_rows(request, outcome.rows, [(head, updated)], b"]}")

    async def delete_batch(self, request: Request) -> Response:
        """Delete up to 500 memories together; with `purge_exports=true` as the deletion of one.

        `missing` are the ids that no memory has, as they were sent.
        """
        purge = read_flag(read_query(request), "purge_exports")
        body = strict_json.decode(_deletion, await read_body(request, _DELETIONS_BYTES))
        if len(body.ids) > BATCH_DELETIONS:
            raise Invalid("ids", f"more than {BATCH_DELETIONS} ids in one request")
        ids = {text: parse_uuid(text) for text in body.ids}
        known = sorted({memory_id for memory_id in ids.values() if memory_id is not None})
        deletion = await self._erasure.delete_many(
            get_caller(request), known, purge=purge, via="batch"
        )
        missing = [text for text, memory_id in ids.items() if memory_id not in deletion.ids]
        result = BatchDeletionResult(deleted=len(deletion.ids), missing=missing)
        return answer_json(result, headers=show_purged(deletion.purged))


class _Changes:
    """The valid changes of a batch, and what is wrong with the others."""

    def __init__(self, items: list[Raw]) -> None:
        self.changes: list[tuple[UUID, ValidChange]] = []
        self._named: list[tuple[int, str]] = []
        self._failures: list[ChangeFailure] = []
        for index, item in enumerate(items):
            self._add(index, bytes(item))

    def _add(self, index: int, item: bytes) -> None:
        try:
            change = strict_json.decode(_change, item)
            memory_id = require_uuid(change.id, MemoryNotFound())
            self.changes.append((memory_id, check_change(change)))
        except (Invalid, TooLarge, MemoryNotFound) as fault:
            self._failures.append(ChangeFailure(index=index, id=_find_id(item), error=str(fault)))
        else:
            self._named.append((index, change.id))

    def list_failures(self, faults: Mapping[int, MemferryError]) -> Iterator[ChangeFailure]:
        """The invalid changes, and those that were not made; `faults` are by place in `changes`."""
        yield from self._failures
        for place, fault in faults.items():
            index, name = self._named[place]
            yield ChangeFailure(index=index, id=name, error=str(fault))


class _Named(msgspec.Struct):
    id: str | None = None


_named = msgspec.json.Decoder(_Named)


def _find_id(item: bytes) -> str | None:
    """Find the id of a change that breaks a rule."""
    try:
        return _named.decode(item).id
    except (msgspec.MsgspecError, RecursionError):
        return None
