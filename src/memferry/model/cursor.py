"""Cursors: the place where the next page of a list begins, as opaque text."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from memferry.errors import Invalid

TimeMs = Annotated[int, Meta(ge=0, le=2**63 - 1)]
BackwardsMs = Annotated[int, Meta(ge=-(2**63), le=0)]
Version = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Name = Annotated[str, Meta(max_length=512, pattern=r"^[^\0]*$")]
Text = Annotated[str, Meta(pattern=r"^[^\0]*$")]
ExportId = Annotated[str, Meta(pattern="^[0-9A-Z]{26}$")]
_VERSION = 1
_DIGEST_BYTES = 8


class Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A place in one list: the values that order its rows, and a digest of the list's filters.

    A cursor is neither secret nor a permission: its values are bound as parameters of a statement
    that shows the caller's rows alone.
    """

    version: int
    listing: str
    place: list[Any]


def encode_cursor(listing: Sequence[object], place: Sequence[object]) -> str:
    """Encode the place of a row in the list that `listing` describes."""
    cursor = Cursor(_VERSION, _digest(listing), list(place))
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def decode_cursor(text: str, listing: Sequence[object], types: tuple[Any, ...]) -> list[Any]:
    """Decode the place of a cursor into values of these types.

    Raises Invalid for text that is no cursor, and for a cursor of a list with other filters.
    """
    try:
        encoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = msgspec.json.decode(encoded, type=Cursor)
        place: list[Any] = [
            msgspec.convert(value, type_) for value, type_ in zip(cursor.place, types, strict=True)
        ]
    except (binascii.Error, ValueError, RecursionError) as fault:
        raise Invalid("cursor", "is not one of ours; take it from the answer before") from fault
    if (cursor.version, cursor.listing) != (_VERSION, _digest(listing)):
        raise Invalid("cursor", "belongs to a list with other filters")
    return place


def _digest(listing: Sequence[object]) -> str:
    return hashlib.sha256(msgspec.json.encode(list(listing))).hexdigest()[: 2 * _DIGEST_BYTES]
