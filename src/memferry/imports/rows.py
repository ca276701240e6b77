"""Records as rows to be staged: complete, checked by the rules of saves, each with its id."""

import time
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw

from memferry.database.literals import array
from memferry.errors import Invalid, NamespaceForbidden
from memferry.imports.histories import HistoryReader
from memferry.imports.request import ImportRequest
from memferry.memories.validation import check_moved_memory
from memferry.model.identity import derive_memory_id, iterate_memory_ids, read_id_time
from memferry.model.json_text import merge_members
from memferry.model.memory import DEFAULT_NAMESPACE, MovedRow, ValidMemory
from memferry.model.strict_json import compact
from memferry.sources.base import Record
from memferry.wire.memories import MovedMemory

READER_VERSION = 1
"""Rises when the same file would be read as other rows."""
COLUMNS = (
    "place", "id", "content", "namespace", "tags", "source", "source_ref", "metadata",
    "created_at", "updated_at", "expires_at", "history",
)  # fmt: skip
_DAY_MS = 24 * 3600 * 1000
_MOST_IDS = 2**62


def find_latest_id_ms() -> int:
    """The latest time (ms) that an id may have.

    By their ids purges know which exports are too old to hold a memory; the clock of another
    machine is trusted to a day, as there (`exports/purge_exports.sql`).
    """
    return time.time_ns() // 1_000_000 + _DAY_MS


class RowMaker:
    """Makes rows of the records of one source."""

    def __init__(
        self, request: ImportRequest, source: str, namespaces: Collection[str] | None
    ) -> None:
        """`namespaces` are those that the token is limited to; None: no limit."""
        self._request = request
        self._source = source
        self._namespaces = namespaces
        self._latest_id_ms = find_latest_id_ms()
        self._now_ms = time.time_ns() // 1_000_000
        self._new_ids = iterate_memory_ids(_MOST_IDS)
        self._histories = HistoryReader(request.namespace, namespaces)
        self.has_histories = False
        """Whether any record brought a history."""

    def has_expired(self, record: Record) -> bool:
        """Whether the time of a memory was over before this import."""
        return record.expires_at is not None and 0 <= record.expires_at < self._now_ms

    def make_line(self, record: Record, place: int) -> bytes:
        """Make the line of a record; raises Invalid, TooLarge or NamespaceForbidden."""
        try:
            row = check_moved_memory(self._complete(record), place)
            self._check_namespace(row.memory.namespace)
            history = None if record.history is None else self._histories.read(record.history)
            self.has_histories |= history is not None
            return _render(self._choose_id(record, row.memory), row, history)
        except UnicodeEncodeError as fault:
            raise Invalid(
                "text", "holds half of a surrogate pair, which is no character"
            ) from fault

    def _check_namespace(self, namespace: str) -> None:
        if self._namespaces is not None and namespace not in self._namespaces:
            raise NamespaceForbidden("namespace", f"the token may not write to {namespace!r}")

    def _complete(self, record: Record) -> MovedMemory:
        """What a save of the record would send."""
        own = record.origin is None
        source = record.source or (None if own else self._source)
        namespace = DEFAULT_NAMESPACE if own else source
        metadata = record.metadata if own else self._add_origin(record)
        return MovedMemory(
            content=record.content,
            namespace=self._request.namespace or record.namespace or namespace,
            tags=_add_tags(record.tags, self._request.tags),
            source=source,
            source_ref=record.source_ref,
            metadata=UNSET if metadata is None else Raw(metadata.encode()),
            created_at=record.created_at,
            updated_at=record.updated_at,
            expires_at=record.expires_at,
        )

    def _add_origin(self, record: Record) -> str:
        """The metadata of a foreign record, with what is told of where it came from."""
        known = record.created_at is not None
        origin: dict[str, Any] = {"source": self._source, "reader": READER_VERSION}
        origin |= record.origin or {}
        origin["time_from"] = origin.get("time_from", "record") if known else "import"
        return _add_member(record.metadata, origin)

    def _choose_id(self, record: Record, memory: ValidMemory) -> UUID:
        if self._request.conflict == "new_ids":
            return next(self._new_ids)
        if record.id is not None:
            memory_id = record.id
        else:
            # What has neither id nor key is known by its text and its time.
            key = record.key or msgspec.json.encode([memory.content, record.created_at]).decode()
            memory_id = derive_memory_id(memory.namespace, self._source, key, record.created_at)
        self._check_id_time(memory_id, "created_at" if record.id is None else "id")
        return memory_id

    def _check_id_time(self, memory_id: UUID, field: str) -> None:
        """Refuse an id of tomorrow."""
        time_ms = read_id_time(memory_id)
        if time_ms is not None and time_ms > self._latest_id_ms:
            raise Invalid(field, "lies in the future; conflict=new_ids takes it all the same")


def _add_tags(own: Collection[str], more: Collection[str]) -> list[str]:
    return list(dict.fromkeys((*own, *more))) if more else list(own)


def _add_member(metadata: str | None, origin: Mapping[str, Any]) -> str:
    """Metadata with the member `import`; one of that name which it has goes into it."""
    member = msgspec.json.encode(origin).decode()
    head = "{" if metadata is None else metadata.rstrip()[:-1].rstrip()
    # Without escapes, a key of that name would stand in the text as it is.
    if '"import"' not in head and "\\" not in head:
        return f'{head}{"," * (head != "{")}"import":{member}}}'
    text = compact("metadata", (metadata or "{}").encode())
    before = msgspec.json.decode(text, type=dict[str, Raw]).get("import")
    patch = {"import": origin if before is None else {**origin, "import": before}}
    return merge_members(text, msgspec.json.encode(patch)).decode()


def _render(memory_id: UUID, row: MovedRow, history: str | None) -> bytes:
    """Render a row as a line of COPY's text format; raises UnicodeEncodeError.

    https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2
    """
    memory = row.memory
    # No text holds NUL: all of them are escaped at once.
    texts = (memory.content, memory.namespace, array(memory.tags), memory.source)
    fields = (
        f"{row.index}\t{memory_id}",
        _escape("\0".join(texts)).replace("\0", "\t"),
        _escape(memory.source_ref),
        # JSON without white space has no line breaks and tabs but escaped ones.
        "\\N" if memory.metadata is None else memory.metadata.replace("\\", "\\\\"),
        "\\N" if row.created_at is None else str(row.created_at),
        "\\N" if row.updated_at is None else str(row.updated_at),
        "\\N" if memory.expires_at is None else str(memory.expires_at),
        "\\N\n" if history is None else "{}\n".format(history.replace("\\", "\\\\")),
    )
    return "\t".join(fields).encode()


def _escape(text: str | None) -> str:
    if text is None:
        return "\\N"
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return text.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
