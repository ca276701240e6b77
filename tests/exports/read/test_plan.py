"""One plan names the way from rows to bytes."""

from dataclasses import replace

import pytest

from memferry.exports.read.plan import Frames, Plan, Probe, Way, plan
from memferry.exports.request import ExportRequest

_JSON = ExportRequest.parse(b'{"format": "json"}')
_CSV = ExportRequest.parse(b'{"format": "csv"}')
_INLINE = Probe(index_order=True, inline=True, rows=9_000)


@pytest.mark.parametrize(
    ("request_", "probe", "expected"),
    [
        (_JSON, replace(_INLINE, rows=2, records="{},\n{}"), Plan(way=Way.READY)),
        (_JSON, replace(_INLINE, mean_bytes=600), Plan(way=Way.SPAN, frames=Frames(218))),
        (_JSON, replace(_INLINE, index_order=False), Plan(way=Way.KEYS)),
        (_JSON, Probe(index_order=True), Plan(way=Way.RANGES, frames=Frames(42))),
        (_JSON, Probe(index_order=False), Plan(way=Way.KEYS)),
        (_CSV, _INLINE, Plan(way=Way.SPAN)),
        (_CSV, Probe(index_order=True), Plan(way=Way.RANGES)),
        (_CSV, Probe(index_order=False), Plan(way=Way.KEYS)),
    ],
)
def test_the_plan_follows_the_format_and_the_probe(
    request_: ExportRequest, probe: Probe, expected: Plan
) -> None:
    assert plan(request_, probe) == expected


@pytest.mark.parametrize(
    ("mean_bytes", "rows"), [(0, 256), (100, 256), (1_024, 128), (16_384, 8), (2**20, 8)]
)
def test_a_frame_has_the_more_rows_the_smaller_they_are(mean_bytes: int, rows: int) -> None:
    frames = Frames.for_rows(mean_bytes)

    assert frames.rows == rows
    assert frames.rows * frames.most_record_bytes == 4 * 2**20
