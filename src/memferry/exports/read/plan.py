"""Which way leads from the rows of an export to its blocks."""

from dataclasses import dataclass
from enum import Enum

from memferry.exports.request import ExportRequest
from memferry.formats import Columns

FRAME_BYTES = 128 * 1024
"""Target size of a frame: large enough to hide its own cost, small enough for a cache."""
_LARGEST_FRAME_BYTES = 4 * 1024 * 1024
# Each frame costs a step in the index: fewer rows do not pay for it.
_FEWEST_ROWS, MOST_ROWS = 8, 256
# Of rows that nobody has seen yet.
_USUAL_BYTES = 3 * 1024


class Way(Enum):
    """How rows are read; the bytes of the file are the same for all."""

    READY = "the probe has brought all records"
    SPAN = "one statement walks an index that has the order"
    RANGES = "ranges of such an index, by as many connections as there are"
    KEYS = "no index has the order: the keys are sorted, and each row is looked up by its key"
    SAMPLE = "some rows in no order, to see how large they are"


@dataclass(frozen=True)
class Frames:
    """How many rows a frame holds."""

    rows: int

    @classmethod
    def for_rows(cls, mean_bytes: int) -> "Frames":
        """Frames for rows of this mean size, in bytes."""
        return cls(min(max(FRAME_BYTES // max(mean_bytes, 1), _FEWEST_ROWS), MOST_ROWS))

    @property
    def most_record_bytes(self) -> int:
        """A larger record comes in a frame of its own, so a frame of many has 4 MiB at most."""
        return _LARGEST_FRAME_BYTES // self.rows


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What was found out about the rows of an export before they are read."""

    index_order: bool
    """Whether an index has the rows in the order of the format."""
    inline: bool = False
    """Whether the rows are for an answer: one connection reads them, and they are counted."""
    expired_rows: int = 0
    """How many match that have expired, if they are counted; those are left out."""
    rows: int = 0
    """How many rows match, up to one more than an answer may hold, if they are counted."""
    mean_bytes: int | None = None
    """Mean size of the first rows' content; None: not looked at."""
    records: str | None = None
    """All records with separators between them, if they are few and small."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The way to read an export; readers follow it."""

    way: Way
    frames: Frames | None = None
    """The frames to begin with; None: rows come by CSV, or each by itself."""
    one_in: int = 1
    """Of how many rows a sample has one."""


def plan(request: ExportRequest, probe: Probe) -> Plan:
    """Choose the way by the request's format and what the probe has found."""
    if probe.records is not None:
        return Plan(way=Way.READY)
    way = _choose_way(probe)
    rows = request.format.rows
    if rows.csv is not None or (way is Way.KEYS and not isinstance(rows, Columns)):
        return Plan(way=way)
    mean_bytes = _USUAL_BYTES if probe.mean_bytes is None else probe.mean_bytes
    return Plan(way=way, frames=Frames.for_rows(mean_bytes))


def _choose_way(probe: Probe) -> Way:
    if not probe.index_order:
        return Way.KEYS
    return Way.SPAN if probe.inline else Way.RANGES
