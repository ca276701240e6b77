"""Cost against rows as a small SVG: both axes logarithmic, ours and psql's line."""

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape

from size import Point

_WIDTH, _HEIGHT = 720, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 150, 40, 50
_SERIES = (("ours", "memferry", "#0b6e4f"), ("theirs", "psql COPY", "#b3541e"))
_HEAD = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
    'font-family="sans-serif" font-size="12" fill="#222">'
)
Place = Callable[[float], float]


def plot(points: Sequence[Point]) -> str:
    """The picture of these points."""
    rows = [point["rows"] for point in points]
    taken = [point[name] for point in points for name in ("ours", "theirs")]
    across = _scale(min(rows), max(rows), _LEFT, _WIDTH - _RIGHT)
    up = _scale(*_decades(taken), _HEIGHT - _BOTTOM, _TOP)
    parts = [
        _HEAD,
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        _text(_LEFT, 22, "NDJSON export: seconds against rows (medians)", size=14),
        *_grid(rows, taken, across, up),
        *(_line(points, name, colour, across, up) for name, _, colour in _SERIES),
        *_legend(points, up),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _scale(low: float, high: float, start: float, end: float) -> Place:
    span = math.log(high / low) or 1.0
    return lambda value: start + (end - start) * math.log(value / low) / span


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """The powers of ten around the values."""
    low = math.floor(math.log10(min(values)))
    high = math.ceil(math.log10(max(values)))
    return 10.0**low, 10.0 ** max(high, low + 1)


def _grid(rows: Sequence[int], taken: Sequence[float], across: Place, up: Place) -> Iterator[str]:
    low, high = _decades(taken)
    left, right = _LEFT, _WIDTH - _RIGHT
    for power in range(round(math.log10(low)), round(math.log10(high)) + 1):
        y = up(10.0**power)
        yield f'<path d="M{left} {y:.1f}H{right}" stroke="#ddd"/>'
        yield _text(left - 8, y + 4, f"{10.0**power:g} s", anchor="end")
    for power in range(math.ceil(math.log10(min(rows))), math.floor(math.log10(max(rows))) + 1):
        x = across(10.0**power)
        yield f'<path d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#ddd"/>'
        yield _text(x, _HEIGHT - _BOTTOM + 18, f"{10**power:,}", anchor="middle")
    yield _text((left + right) / 2, _HEIGHT - 10, "rows", anchor="middle")


def _line(points: Sequence[Point], name: str, colour: str, across: Place, up: Place) -> str:
    places = [(across(point["rows"]), up(_value(point, name))) for point in points]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places)
    stroke = f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    return f'{stroke}<g fill="{colour}">{dots}</g>'


def _legend(points: Sequence[Point], up: Place) -> Iterator[str]:
    """Each line's name at its end; apart from each other even where the lines meet."""
    last = points[-1]
    ends = sorted((up(_value(last, name)), title, colour) for name, title, colour in _SERIES)
    (first, *_), (second, *_) = ends
    places = (first, max(second, first + 16))
    for y, (_, title, colour) in zip(places, ends, strict=True):
        yield _text(_WIDTH - _RIGHT + 10, y + 4, title, colour=colour)


def _value(point: Point, name: str) -> float:
    return point["ours"] if name == "ours" else point["theirs"]


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, colour: str = "#222"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'fill="{colour}">{escape(text)}</text>'
    )
