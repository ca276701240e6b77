"""CSV records get their separator wherever the data is cut, and are counted."""

import pytest

from memferry.database.csv_records import CsvReader
from memferry.model.csv_copy import CsvCopy

_CSV = CsvCopy(null="", force_quote=(), record_end=b',"."\n')
_DATA = b'a,"1\n",".""\n"\n,"."\nb,".","."\n'


def split(data: bytes, cut: int) -> tuple[bytes, CsvReader]:
    """What is found in two pieces."""
    reader = CsvReader(_CSV, b"\r\n")
    blocks = []
    for piece in (data[:cut], data[cut:]):
        reader.take(piece)
        blocks.append(reader.pop())
    return b"".join(block.data for block in blocks), reader


def test_cut_anywhere_the_records_are_the_same() -> None:
    for cut in range(len(_DATA)):
        records, reader = split(_DATA, cut)

        assert (records, reader.end(2)) == (b'a,"1\n",".""\n"\n\r\nb,"."\r\n', 2)


@pytest.mark.parametrize(
    ("data", "copied"), [(_DATA, 3), (_DATA[:-1], 2)], ids=["a record is missing", "no end"]
)
def test_a_count_that_is_not_that_of_copy_is_refused(data: bytes, copied: int) -> None:
    _, reader = split(data, 7)

    with pytest.raises(AssertionError, match="records found"):
        reader.end(copied)
