"""The report of an import while it is written: counts, and the first places of each kind."""

from collections import Counter
from collections.abc import Callable, Mapping

from memferry.sources.base import Place
from memferry.wire.imports import Counts, ImportReport, Rejection, Repair

SHOWN = 100
"""Of so many repairs and rejections the place is kept; all are counted."""
_KINDS = 100
_TEXT_CHARACTERS = 300


class ReportWriter:
    """The journal of a source, and of the checks of its records."""

    def __init__(self, check: Callable[[], None]) -> None:
        """`check` is called with every note; what it raises ends the reading."""
        self._check = check
        self.sources: list[str] = []
        self.files = 0
        self.read = 0
        self.rejected = 0
        self._repaired = Counter[str]()
        self._left_out = Counter[str]()
        self._repairs: list[Repair] = []
        self._rejections: list[Rejection] = []

    def repair(self, kind: str, place: Place) -> None:
        """Count a record that was mended."""
        self._check()
        _count(self._repaired, kind, 1)
        if len(self._repairs) < SHOWN:
            file, at = _show_place(place)
            self._repairs.append(Repair(file=file, at=at, kind=_cut(kind)))

    def reject(self, place: Place, reason: str) -> None:
        """Count a record that cannot be imported; it was read all the same."""
        self._check()
        self.read += 1
        self.rejected += 1
        if len(self._rejections) < SHOWN:
            file, at = _show_place(place)
            self._rejections.append(Rejection(file=file, at=at, reason=_cut(reason)))

    def leave_out(self, reason: str, count: int = 1) -> None:
        """Count what is no record, or was not asked for."""
        self._check()
        _count(self._left_out, reason, count)

    @property
    def first_rejection(self) -> str:
        """The first rejection as a sentence; empty if there is none."""
        if not self._rejections:
            return ""
        first = self._rejections[0]
        where = ", ".join(word for word in (first.file, first.at) if word)
        return f"{where}: {first.reason}" if where else first.reason

    def finish(self, outcomes: Mapping[str, int]) -> ImportReport:
        """Make the report; `outcomes` are the numbers of records that became memories, or not."""
        skipped = {name: outcomes[name] for name in ("conflict", "duplicate") if outcomes.get(name)}
        return ImportReport(
            sources=self.sources,
            files=self.files,
            read=self.read,
            created=outcomes.get("created", 0),
            unchanged=outcomes.get("unchanged", 0),
            updated=outcomes.get("updated", 0),
            skipped=skipped,
            rejected=self.rejected,
            left_out=dict(self._left_out),
            repaired=dict(self._repaired),
            rejections=self._rejections,
            repairs=self._repairs,
        )


def _count(counts: "Counter[str] | Counts", name: str, count: int) -> None:
    """Count under a name; a file that makes up ever more names gets one for all further ones."""
    name = _cut(name)
    counts[name if name in counts or len(counts) < _KINDS else "other"] += count


def _show_place(place: Place) -> tuple[str, str]:
    return _cut(place.member), _cut(place.at)


def _cut(text: str) -> str:
    """At most so much of a text as a report may hold, without what JSON or PostgreSQL refuse."""
    text = text[:_TEXT_CHARACTERS].replace("\x00", "\ufffd")
    return text.encode("utf-8", "replace").decode()
