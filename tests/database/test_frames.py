"""Frames are unpacked wherever the data is cut, in order, and all of them."""

import struct

import pytest

from memferry.database.frames import FrameReader

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"


def frame(number: int, *records: str) -> bytes:
    """One row of three columns, as COPY sends it."""
    text = "\n".join(records).encode()
    head = struct.pack(">hiiiqi", 3, 4, number, 8, len(records), len(text))
    return head + text


def unpack(data: bytes, cut: int) -> tuple[bytes, FrameReader]:
    """What is found in two pieces."""
    reader = FrameReader(b"\n")
    blocks = []
    for piece in (data[:cut], data[cut:]):
        reader.take(piece)
        blocks.append(reader.pop())
    return b"".join(block.data for block in blocks), reader


def test_cut_anywhere_behind_the_header_the_records_are_the_same() -> None:
    data = _HEADER + frame(0, "a", "é") + frame(1, "\x7f") + _TRAILER
    for cut in range(len(_HEADER), len(data)):
        records, reader = unpack(data, cut)

        assert (records.decode(), reader.end(2)) == ("a\né\n\x7f\n", 3)


def test_no_frame_is_no_record() -> None:
    records, reader = unpack(_HEADER + _TRAILER, len(_HEADER))

    assert (records, reader.end(0)) == (b"", 0)


def test_a_record_may_hold_what_separates_records() -> None:
    reader = FrameReader(b"\n\n")
    reader.take(_HEADER + frame(0, "a\n\nb") + frame(0, "c") + _TRAILER)
    block = reader.pop()

    assert (block.data, reader.end(2)) == (b"a\n\nb\n\nc\n\n", 2)


def test_frames_out_of_order_are_refused() -> None:
    with pytest.raises(AssertionError, match="frame 0 came after frame 1"):
        unpack(_HEADER + frame(1, "b") + frame(0, "a") + _TRAILER, 30)


@pytest.mark.parametrize(
    ("data", "frames"),
    [
        (_HEADER + frame(0, "a"), 1),
        (_HEADER + frame(0, "a") + _TRAILER, 2),
        (_HEADER + frame(0, "a") + frame(1, "b")[:-1] + _TRAILER, 2),
    ],
    ids=["no end", "a frame is missing", "a byte is missing"],
)
def test_a_truncated_frame_is_refused(data: bytes, frames: int) -> None:
    _, reader = unpack(data, len(_HEADER))

    with pytest.raises(AssertionError, match="frames found"):
        reader.end(frames)
