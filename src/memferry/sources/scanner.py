"""Cutting JSON text into values without decoding them, in bounded memory and linear time."""

import re
from typing import BinaryIO

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
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|' + _STRING + rb")*+", re.DOTALL)
_IN_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_OPENING, _CLOSING = b"{[", b"}]"


class CutOff(Exception):
    """The text ends within a value."""


class Scanner:
    """Walks through JSON text from value to value."""

    def __init__(self, file: BinaryIO, most: int = MOST_VALUE_BYTES) -> None:
        self._file = file
        self.most = most
        """The bytes of the largest value that is kept."""
        self._buffer = b""
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
        """Pass everything up to the next bracket, with it, or to a string that does not end."""
        if self._depth and (match := _TO_BRACKET.match(text, at)) is not None:
            at = match.end()
        byte = text[at : at + 1]
        if byte == b'"':
            self._in_string = True
        elif byte and byte in _OPENING:
            self._depth += 1
        elif byte and byte in _CLOSING:
            self._depth -= 1
            self.has_ended = self._depth == 0
        return at + len(byte)
