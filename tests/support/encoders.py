"""What an encoder of a format makes of records."""

from collections.abc import Iterable, Iterator

from memferry.formats import Encoder, Piece


def encode_all(encoder: Encoder, records: Iterable[bytes]) -> list[tuple[int, bytes]]:
    """The files of some records, each handed over by itself: rows and bytes of each file."""
    files, rows, data = [], 0, b""
    for piece in _list_pieces(encoder, records):
        rows, data = rows + piece.rows, data + piece.data
        if piece.ends_file:
            files.append((rows, data))
            rows, data = 0, b""
    encoder.close()
    return [*files, (rows, data)]


def encode_file(encoder: Encoder, records: Iterable[bytes]) -> bytes:
    """The only file of some records."""
    [(_, data)] = encode_all(encoder, records)
    return data


def _list_pieces(encoder: Encoder, records: Iterable[bytes]) -> Iterator[Piece]:
    for each in records:
        yield from encoder.encode(each)
    yield from encoder.finish()
