"""Files of JSON in an export: what is in one, told by the names in its first object."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from memferry.sources.base import Journal, Member, Place
from memferry.sources.reading.decoding import ElementDecoder
from memferry.sources.reading.elements import (
    HEAD_BYTES,
    find_first_element,
    find_layout,
    peek_names,
    split_elements,
)
from memferry.sources.reading.text import peek_text

# What may stand before the first object with names in a list.
_NO_OBJECT = re.compile(rb'(?:(?:[^{\["\s,]++|"[^"\\]*+"|\{\s*+\}|\[\s*+\])\s*+,\s*+)*+')
_ANY = msgspec.json.Decoder()
# An empty list takes two bytes of text, and fifty of memory.
_MOST_VALUES = 2_000_000


def find_names(member: Member, lists: Collection[str] = ()) -> Mapping[str, bytes]:
    """Find the names in the first object of a file that begins as JSON; none in any other.

    Each comes with the text from its value on.
    """
    head = peek_text(member, HEAD_BYTES)
    if find_layout(head) is None:
        return {}
    text = find_first_element(head, lists)
    start = _NO_OBJECT.match(text)
    return peek_names(text[start.end() :] if start else text)


def read_values(
    member: Member, journal: Journal, lists: Collection[str] = ()
) -> Iterator[tuple[Place, Any]]:
    """Yield the elements of a file, decoded; what cannot be is rejected by itself."""
    decoder = ElementDecoder(member.name, journal)
    for element in split_elements(member, journal, lists):
        if _count_values(element.raw) > _MOST_VALUES:
            journal.reject(decoder.locate(element), f"holds more than {_MOST_VALUES} values")
            continue
        for value in decoder.decode(_ANY, element):
            yield decoder.locate(element), value


def _count_values(text: bytes) -> int:
    """Count the values in JSON text, at least: signs in strings count too."""
    return text.count(b",") + text.count(b"[") + text.count(b"{")
