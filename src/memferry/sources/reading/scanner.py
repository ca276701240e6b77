"""Cutting JSON text into values without decoding them, in bounded memory and linear time."""

import re
from typing import BinaryIO

import msgspec

_CHUNK_BYTES = 1024 * 1024
MOST_VALUE_BYTES = 64 * 1024 * 1024
"""The largest value that is kept; more than twice of what the largest memory takes with escapes."""

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_BLANK = re.compile(rb"[ \t\r\n]*+")


def _nest(levels: int) -> bytes:
    """A pattern of what stands between brackets that nest so many levels deep at most."""
    inner = rb'[^"{}\[\]]++|' + _STRING
    if levels:
        deeper = _nest(levels - 1)
        inner += rb"|\{" + deeper + rb"\}|\[" + deeper + rb"\]"
    return rb"(?:" + inner + rb")*+"


_SHALLOW = re.compile(rb"\{" + _nest(2) + rb"\}|\[" + _nest(2) + rb"\]|" + _STRING, re.DOTALL)
"""A whole value, if it is not nested deep: one match is ten times as fast as bracket by bracket."""
_SCALAR = re.compile(rb'[^ \t\r\n,\[\]{}:"]++')
_NESTED_LITTLE = re.compile(_nest(2), re.DOTALL)
_IN_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_ITEM_START = re.compile(rb'\{[ \t\r\n]*+"[^"\\]{1,100}+"[ \t\r\n]*+:')
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
# After so many, splitting at once seems not to suit the text.
_MOST_MISSES = 10
_OPENING, _CLOSING = re.compile(rb"[{\[]++"), re.compile(rb"[}\]]++")


class CutOff(Exception):
    """The text ends within a value."""


class Scanner:
    """Walks through JSON text from value to value."""

    def __init__(self, file: BinaryIO, most: int = MOST_VALUE_BYTES) -> None:
        self._file = file
        self.most = most
        """The bytes of the largest value that is kept."""
        self.is_cut_off = False
        """Whether the text has ended within a value."""
        self._buffer = b""
        self._misses = 0
        self._at = 0

    def look(self) -> bytes:
        """The next byte that is no white space, which is not taken; b"" at the end."""
        while True:
            blank = _BLANK.match(self._buffer, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._buffer) or not self._read_more():
                return self._buffer[self._at : self._at + 1]

    def peek(self, size: int) -> bytes:
        """The text from the next byte on, as far as it was read, at most so much."""
        self.look()
        return self._buffer[self._at : self._at + size]

    def take_byte(self) -> bytes:
        """The next byte that is no white space."""
        byte = self.look()
        self._at += len(byte)
        return byte

    def take_items(self) -> list[bytes]:
        """The objects of a list from here on, all that were read but the last; [] if none can be.

        They are split at once, at many times the speed of one by one: up to where the first key of
        this one comes for the last time. If that was not an item, or one of them is no JSON,
        nothing is taken.
        """
        start = _ITEM_START.match(self._buffer, self._at)
        end = self._buffer.rfind(start[0], self._at + 1) if start else -1
        if end < 0 or self._misses >= _MOST_MISSES:
            return []
        items = self._buffer[self._at : end].rstrip()
        try:
            raws = _ITEMS.decode(b"[%b]" % items.removesuffix(b","))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._misses += 1
            return []
        self._at += len(items) - items.endswith(b",")
        return [bytes(raw) for raw in raws]

    def take_value(self) -> bytes | None:
        """The text of the value that begins here; None if it is larger than what is kept.

        Raises CutOff at the end of the text. Brackets are counted, not compared.
        """
        start = self.look()
        if not start:
            raise CutOff
        if start not in b'{["':
            return self._take_scalar()
        if (match := _SHALLOW.match(self._buffer, self._at)) is not None:
            self._at = match.end()
            return match[0]
        return self._take_nested()

    def _take_scalar(self) -> bytes:
        while True:
            match = _SCALAR.match(self._buffer, self._at)
            end = match.end() if match else self._at + 1
            if end < len(self._buffer) or end - self._at > _CHUNK_BYTES or not self._read_more():
                break
        scalar = self._buffer[self._at : end]
        self._at = end
        return scalar

    def _take_nested(self) -> bytes | None:
        nesting, pieces, size = _Nesting(), list[bytes](), 0
        while True:
            start = self._at
            self._at = nesting.follow(self._buffer, start)
            size += self._at - start
            if size > self.most:
                pieces.clear()
            else:
                pieces.append(self._buffer[start : self._at])
            if nesting.has_ended:
                return None if size > self.most else b"".join(pieces)
            if not self._read_more():
                self._at = len(self._buffer)
                self.is_cut_off = True
                raise CutOff

    def _read_more(self) -> bool:
        """Read on; what was passed is forgotten. False at the end of the file."""
        chunk = self._file.read(_CHUNK_BYTES)
        if chunk:
            self._buffer = self._buffer[self._at :] + chunk
            self._at = 0
        return bool(chunk)


class _Nesting:
    """Follows brackets and strings through pieces of text, from the start of one value."""

    def __init__(self) -> None:
        self.has_ended = False
        self._depth = 0
        self._in_string = False

    def follow(self, text: bytes, at: int) -> int:
        """Go on from `at`: up to the end of the value, or of the text.

        An escape that the text cuts is left for the next piece.
        """
        while at < len(text) and not self.has_ended:
            if self._in_string:
                at = self._leave_string(text, at)
                if self._in_string:
                    break
            else:
                at = self._pass_bracket(text, at)
        return at

    def _leave_string(self, text: bytes, at: int) -> int:
        match = _IN_STRING.match(text, at)
        at = match.end() if match else at
        if text[at : at + 1] == b'"':
            self._in_string = False
            self.has_ended = self._depth == 0
            return at + 1
        return at

    def _pass_bracket(self, text: bytes, at: int) -> int:
        """Pass what nests little, and the brackets after it; or the start of an endless string."""
        if self._depth and (match := _NESTED_LITTLE.match(text, at)) is not None:
            at = match.end()
        if text[at : at + 1] == b'"':
            self._in_string = True
            return at + 1
        if (match := _OPENING.match(text, at)) is not None:
            self._depth += len(match[0])
            return match.end()
        if (match := _CLOSING.match(text, at)) is not None:
            closed = min(len(match[0]), self._depth)
            self._depth -= closed
            self.has_ended = self._depth == 0
            return at + closed
        return at
