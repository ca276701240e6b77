"""Answers of any size, sent in pieces: each waits until the client has taken the one before."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from memferry.errors import MemferryError
from memferry.http.bodies import SMALL_BYTES, hold_memory
from memferry.http.views import answer_text
from memferry.memories.rows import Rows
from memferry.telemetry import log_event

_PIECE_BYTES = 64 * 1024
# A part as it is rendered, and as it is sent.
_COPIES = 2

Groups = Sequence[tuple[bytes, int]]
"""What stands before a group of rows, and how many they are."""


class PiecesAnswer(Response):
    """A JSON answer in pieces; after a failure midway it is cut off, which clients notice."""

    media_type = "application/json"

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        size_bytes: int | None = None,
    ) -> None:
        """`size_bytes` is the size of all pieces together, if it is known."""
        super().__init__(None, status, headers)
        self._pieces = pieces
        if size_bytes is None:
            del self.headers["content-length"]
        else:
            self.headers["content-length"] = str(size_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send all pieces; the server takes no more while the client has not taken the last one."""
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        try:
            async for piece in self._pieces:
                for part in _cut(piece):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
        except MemferryError as fault:
            log_event("answer.cut", fault=fault)
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def answer_pieces(
    request: Request,
    pieces: Sequence[bytes],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with ready pieces; raises TooMuchAtOnce or Busy if there is no memory for them."""
    size_bytes = sum(map(len, pieces))
    if size_bytes <= SMALL_BYTES:
        return answer_text(b"".join(pieces), status, headers)
    await hold_memory(request, size_bytes)
    return PiecesAnswer(_iterate(pieces), status, headers, size_bytes=size_bytes)


async def answer_rows(
    request: Request,
    rows: Rows,
    groups: Groups,
    end: bytes,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with groups of rendered rows; `end` is the text after the last row.

    Of a page that is not rendered as a whole, one part after the other is rendered and sent; a row
    that is deleted meanwhile is left out.
    """
    pieces = _compose(rows, groups, end)
    if rows.rendered:
        return await answer_pieces(request, [piece async for piece in pieces], headers=headers)
    # All that any part needs: an answer that has begun could only be cut off.
    await hold_memory(request, _COPIES * rows.part_bytes)
    return PiecesAnswer(pieces, headers=headers)


async def _compose(rows: Rows, groups: Groups, end: bytes) -> AsyncIterator[bytes]:
    """Yield the JSON text part by part."""
    heads, left, separator = iter(groups), 0, b""
    async for part in rows.render_parts():
        piece = bytearray()
        for row in part:
            while left == 0:
                head, left = next(heads)
                piece += head
                separator = b""
            left -= 1
            if row is not None:
                piece += separator + row.encode()
                separator = b","
        text = bytes(piece)
        # It may wait for its reader for long, and alone.
        part.clear()
        piece.clear()
        yield text
    yield b"".join(head for head, _ in heads) + end


async def _iterate(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _cut(piece: bytes) -> Iterable[memoryview]:
    view = memoryview(piece)
    return (view[start : start + _PIECE_BYTES] for start in range(0, len(piece), _PIECE_BYTES))
