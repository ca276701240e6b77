"""Decoding elements: what is damaged is mended and counted, or rejected alone with its reason."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from memferry.errors import Invalid
from memferry.model.json_faults import refuse_deep, translate_message
from memferry.model.json_text import find_repeated_key
from memferry.sources.base import Journal, Place
from memferry.sources.reading.elements import Element, split_glued
from memferry.sources.reading.mending import may_hold_nul, mend

# A reason may name a member of the record.
_REASON_CHARACTERS = 500
_T = TypeVar("_T")


class ElementDecoder:
    """Decodes the elements of one member."""

    def __init__(self, member: str, journal: Journal, *, is_strict: bool = False) -> None:
        self._member = member
        self._journal = journal
        # To look for repeated keys and deep nesting takes longer than to decode.
        self._is_strict = is_strict

    def decode_cleanly(
        self, decoder: "msgspec.json.Decoder[_T]", element: Element
    ) -> tuple[_T, ...]:
        """The value of an element that has nothing to mend; nothing otherwise."""
        try:
            if not may_hold_nul(element.raw):
                return (self._decode_valid(decoder, element.raw),)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Invalid):
            pass
        return ()

    def decode(self, decoder: "msgspec.json.Decoder[_T]", element: Element) -> Sequence[_T]:
        """The values of an element: one, none if it is rejected, several if lines were glued."""
        return self.decode_cleanly(decoder, element) or self._decode_mended(decoder, element)

    def reject(self, element: Element, fault: Exception) -> None:
        """Reject an element for what a decoder or a check has raised."""
        self._journal.reject(self.locate(element), _explain(fault))

    def locate(self, element: Element) -> Place:
        """Where an element stands."""
        return Place(self._member, element.at)

    def _decode_mended(self, decoder: "msgspec.json.Decoder[_T]", element: Element) -> Sequence[_T]:
        try:
            raw, kinds = mend(element.raw)
            refuse_deep(raw)
            values = [self._decode_valid(decoder, raw)]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Invalid) as fault:
            return self._decode_glued(decoder, element, fault)
        for kind in sorted(kinds):
            self._journal.repair(kind, self.locate(element))
        return values

    def _decode_valid(self, decoder: "msgspec.json.Decoder[_T]", raw: bytes) -> _T:
        # Text that a decoder leaves as it is, it does not check.
        if not raw.isascii():
            raw.decode()
        if self._is_strict:
            refuse_deep(raw)
        value = decoder.decode(raw)
        if self._is_strict and (key := find_repeated_key(raw)) is not None:
            raise Invalid(key, "is given twice")
        return value

    def _decode_glued(
        self, decoder: "msgspec.json.Decoder[_T]", element: Element, fault: Exception
    ) -> Sequence[_T]:
        pieces = split_glued(element) if isinstance(fault, msgspec.DecodeError) else []
        if not pieces[1:] or not all(piece.startswith(b"{") for piece in pieces):
            self.reject(element, fault)
            return []
        self._journal.repair("glued lines", self.locate(element))
        inner = [Element(piece, element.at, element.name) for piece in pieces]
        return [value for piece in inner for value in self.decode(decoder, piece)]


def _explain(fault: Exception) -> str:
    if isinstance(fault, msgspec.ValidationError):
        fault = translate_message(str(fault))
    if isinstance(fault, Invalid):
        return str(fault)[:_REASON_CHARACTERS]
    if isinstance(fault, RecursionError):
        return "is nested too deep"
    return f"is no valid JSON: {fault}"
