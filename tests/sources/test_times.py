"""Times of other systems: units by size, zones, and what is none."""

from typing import Any

import pytest

from memferry.errors import Invalid
from memferry.sources.base import Place
from memferry.sources.reading.times import NO_ZONE, UNREADABLE, TimeReader
from support.source_files import Notes

PLACE = Place("a", "[0]")
MOMENT = 1_714_000_000_123


def read(value: Any, timezone: str = "UTC") -> tuple[int | None, list[str]]:
    notes = Notes()
    return TimeReader(timezone, notes).read(value, PLACE), list(notes.repaired)


@pytest.mark.parametrize(
    "value",
    [
        1714000000.123,
        1714000000.1234,
        1714000000123,
        1714000000123456,
        1714000000123456789,
        "1714000000.123",
        "1714000000123",
        "2024-04-24T23:06:40.123Z",
        "2024-04-24T23:06:40.123456Z",
        "2024-04-24T23:06:40.123456789Z",
        "2024-04-24 23:06:40,123+00:00",
        "2024-04-25T01:06:40.123+0200",
    ],
)
def test_each_way_to_write_a_moment_gives_the_same_milliseconds(value: Any) -> None:
    assert read(value) == (MOMENT, [])


@pytest.mark.parametrize("value", [None, "", 0, 0.0, "0"])
def test_zero_and_nothing_are_no_time(value: Any) -> None:
    assert read(value) == (None, [])


@pytest.mark.parametrize(
    "value",
    [
        *(True, -5, float("nan"), float("inf"), 1e300, 10**40, [], {}, "9" * 5000),
        *("soon", "2026-13-01", "0001-01-01T00:00:00Z", "2026-01-01T25:00:00Z"),
    ],
)
def test_what_cannot_be_read_is_noted_and_no_time_is_made_up(value: Any) -> None:
    assert read(value) == (None, [UNREADABLE])


def test_a_time_without_zone_is_of_the_zone_that_was_given_and_noted() -> None:
    assert read("2026-07-01T12:00:00") == (1782907200000, [NO_ZONE])
    assert read("2026-07-01T12:00:00", "Europe/Paris") == (1782907200000 - 7_200_000, [NO_ZONE])
    assert read("2026-07-01T12:00:00Z", "Europe/Paris") == (1782907200000, [])


def test_milliseconds_are_rounded_once() -> None:
    assert read("2024-04-24T23:06:40.1235Z") == (MOMENT + 1, [])
    assert read(1714000000123500) == (MOMENT + 1, [])


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "", "a\x00b"])
def test_an_unknown_zone_is_refused_by_name_of_its_option(name: str) -> None:
    with pytest.raises(Invalid, match="timezone"):
        TimeReader(name, Notes())
