"""The chart of memories over time: a row of bars per namespace, which a template draws."""

from collections.abc import Sequence
from dataclasses import dataclass

from memferry.wire.overview import Overview

WIDTH, HEIGHT = 480, 36
_GAP = 1
_LEAST_HEIGHT = 1.5
"""Of a bar that stands for anything."""


@dataclass(frozen=True)
class Bar:
    """One bar, in the units of the drawing."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class ChartRow:
    """The bars of one namespace; None: of all that are not named."""

    namespace: str | None
    count: int
    bars: Sequence[Bar]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """All rows to one scale, and the same as a table."""

    rows: Sequence[ChartRow]
    starts: Sequence[int]
    """When each span of time begins that has any memory."""
    table: Sequence[Sequence[int]]
    """The numbers of each such span, namespace by namespace."""
    exact: bool


def draw_chart(overview: Overview) -> Chart:
    """Draw the chart of an overview."""
    series = overview.series
    most = max((count for row in series for count in row.counts), default=1)
    spans = [
        (overview.starts_at + number * overview.span_ms, counts)
        for number, counts in enumerate(zip(*(row.counts for row in series), strict=True))
        if any(counts)
    ]
    return Chart(
        rows=[
            ChartRow(namespace=row.namespace, count=row.count, bars=_draw_bars(row.counts, most))
            for row in series
        ],
        starts=[start for start, _ in spans],
        table=[counts for _, counts in spans],
        exact=overview.counts_exact,
    )


def _draw_bars(counts: Sequence[int], most: int) -> list[Bar]:
    step = WIDTH / max(len(counts), 1)
    bars = []
    for number, count in enumerate(counts):
        if count:
            height = max(count / most * HEIGHT, _LEAST_HEIGHT)
            bars.append(
                Bar(
                    round(number * step, 2),
                    round(HEIGHT - height, 2),
                    round(max(step - _GAP, 1), 2),
                    round(height, 2),
                )
            )
    return bars
