"""The frames around many records in one value are taken off, wherever the pieces are cut."""

import struct

import pytest

from memferry.database.joined import Joined

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"


def part(number: int, *lines: str) -> bytes:
    """One row of three columns, as COPY sends it."""
    text = "\n".join(lines).encode()
    head = struct.pack(">hiiiqi", 3, 4, number, 8, len(lines), len(text))
    return head + text


def taken(data: bytes, cut: int) -> tuple[bytes, Joined]:
    """What is found in two pieces."""
    joined = Joined()
    parts = [*joined.lines(data[:cut]), *joined.lines(data[cut:])]
    return b"".join(bytes(lines) + b"\n" for lines in parts), joined


def test_frames_cut_anywhere_after_the_header_give_the_same_lines() -> None:
    data = _HEADER + part(0, "a", "é") + part(1, "\x7f") + _TRAILER
    for cut in range(len(_HEADER), len(data)):
        lines, joined = taken(data, cut)

        assert (lines.decode(), joined.end(2)) == ("a\né\n\x7f\n", 3)


def test_a_copy_without_frames_gives_no_line() -> None:
    lines, joined = taken(_HEADER + _TRAILER, len(_HEADER))

    assert (lines, joined.end(0)) == (b"", 0)


def test_frames_out_of_order_are_refused() -> None:
    with pytest.raises(AssertionError, match="part 1 came in the place of part 0"):
        taken(_HEADER + part(1, "b") + part(0, "a") + _TRAILER, 30)


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (_HEADER + part(0, "a"), 1),
        (_HEADER + part(0, "a") + _TRAILER, 2),
        (_HEADER + part(0, "a") + part(1, "b")[:-1] + _TRAILER, 2),
    ],
    ids=["no end", "a part is missing", "a byte is missing"],
)
def test_a_truncated_frame_is_refused(data: bytes, parts: int) -> None:
    _, joined = taken(data, len(_HEADER))

    with pytest.raises(AssertionError, match="parts found"):
        joined.end(parts)
