"""Lines of text files are of bounded length, and so is what is kept of them."""

from memferry.sources.base import Place
from memferry.sources.reading.text_lines import LONGEST_BYTES, TOO_LONG, TextBlock, read_lines
from support.source_files import BytesMember, Notes


def test_of_a_block_that_is_too_long_nothing_more_is_kept() -> None:
    block = TextBlock(Place("", "line 1"))
    for _ in range(100):
        block.add("x" * 1024 * 1024)

    assert block.fault == TOO_LONG
    assert sum(map(len, block.lines)) <= LONGEST_BYTES


def test_a_line_that_is_too_long_is_passed_over_and_the_next_one_read() -> None:
    data = b"a\n" + b"x" * (LONGEST_BYTES + 1) + b"\nb\r\n\nc"
    lines = list(read_lines(BytesMember("", data), Notes()))

    assert [line.text[:4] for line in lines] == ["a", "xxxx", "b\r", "", "c"]
    assert [line.fault for line in lines] == [None, TOO_LONG, None, None, None]


def test_surrogates_that_were_encoded_one_by_one_are_joined_and_noted() -> None:
    notes = Notes()
    data = b"\xed\xa0\xbd\xed\xb8\x82 \xed\xa0\xbd"
    (line,) = read_lines(BytesMember("", data), notes)

    assert line.text == "\U0001f602 \ufffd"
    assert notes.repaired == {"surrogates as bytes": 1}
