"""The rows of a bulk save: cut out of the body, and checked in batches in a thread."""

import mmap
from collections.abc import AsyncIterator, Sequence
from functools import partial
from uuid import UUID

import msgspec
from msgspec import Raw

from memferry.errors import Invalid, TooLarge
from memferry.http.items import ItemBody
from memferry.http.reading import run_by_size
from memferry.memories.validation import check_moved_memory
from memferry.model import strict_json
from memferry.model.memory import MovedRow
from memferry.wire.memories import BULK_ROWS, MovedMemory, RowFailure

# What is checked and saved in one go; or it is a single row.
_BATCH_BYTES = 1024 * 1024
_items = ItemBody("items", BULK_ROWS, "rows")
_moved_memory = msgspec.json.Decoder(MovedMemory)


class BulkRows:
    """The rows of one bulk save."""

    def __init__(self, items: Sequence[Raw]) -> None:
        self._items = items
        self.failures: list[RowFailure] = []
        """Which rows break a rule, after all batches were taken."""
        self._first_fault: Invalid | None = None

    @classmethod
    async def read(cls, body: bytearray | mmap.mmap) -> "BulkRows":
        """Cut the rows out of a body; raises Invalid for too many rows."""
        rows = cls(await run_by_size(len(body), lambda: _items.cut(body)))
        if isinstance(body, mmap.mmap):
            # All of it was read once; from now on each row is when its turn comes.
            body.madvise(mmap.MADV_DONTNEED)
        return rows

    def __len__(self) -> int:
        return len(self._items)

    async def batches(self) -> AsyncIterator[list[MovedRow]]:
        """Yield the valid rows in batches, anew at each call; the others become failures."""
        self.failures, self._first_fault = [], None
        start = 0
        while start < len(self._items):
            end, size = start, 0
            while end < len(self._items) and (end == start or size < _BATCH_BYTES):
                size += len(bytes(self._items[end]))
                end += 1
            yield await run_by_size(size, partial(self._check, range(start, end)))
            start = end

    def place_ids(self, ids: Sequence[UUID]) -> list[UUID | None]:
        """Put the ids of the saved rows at the places of their rows; None for a failure."""
        failed, saved = {failure.index for failure in self.failures}, iter(ids)
        return [None if index in failed else next(saved) for index in range(len(self._items))]

    def refuse_empty(self, ids: Sequence[UUID]) -> None:
        """Raise the fault of the first row if no row was saved."""
        if self._first_fault is not None and not ids:
            raise self._first_fault

    def _check(self, span: range) -> list[MovedRow]:
        good: list[MovedRow] = []
        for index in span:
            try:
                moved = strict_json.decode(_moved_memory, bytes(self._items[index]))
                good.append(check_moved_memory(moved, index))
            except (Invalid, TooLarge) as fault:
                self._note(index, fault)
        return good

    def _note(self, index: int, fault: Invalid | TooLarge) -> None:
        if not self.failures:
            reason = str(fault).partition(": ")[2]
            self._first_fault = Invalid(f"items[{index}].{fault.field}", reason)
        self.failures.append(RowFailure(index=index, field=fault.field, error=str(fault)))
