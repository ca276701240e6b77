"""The array of a body that holds many items: cut into its items, of which none is decoded yet."""

import mmap
from typing import Any

import msgspec
from msgspec import Raw

from memferry.errors import Invalid
from memferry.model import strict_json

_NO_ITEM = Raw(b"")


class ItemBody:
    """A body with one field, an array of up to `most` items."""

    def __init__(self, field: str, most: int, unit: str, *, strict: bool = False) -> None:
        """`unit` is what an error calls the items; `strict` refuses any other field."""
        self._field = field
        self._reason = f"more than {most} {unit} in one request"
        self._body: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
            msgspec.defstruct("Body", [(field, _make_array(most))], forbid_unknown_fields=strict)
        )

    def cut(self, body: bytes | bytearray | mmap.mmap) -> list[Raw]:
        """Cut the items out of a body; raises Invalid for too many."""
        try:
            items = getattr(strict_json.decode(self._body, body), self._field)
        except Invalid as fault:
            if "at most length" in fault.reason:
                raise Invalid(self._field, self._reason) from fault
            raise
        return [item for item in msgspec.structs.astuple(items) if item is not _NO_ITEM]


def _make_array(most: int) -> type[msgspec.Struct]:
    """Make an array with a place for each item that may come, which refuses the next one at once.

    A list would take in all that a body has room for before anybody could count them: 64 million in
    128 MiB.
    """
    return msgspec.defstruct(
        "Items",
        [(f"item_{index}", Raw, _NO_ITEM) for index in range(most)],
        array_like=True,
        forbid_unknown_fields=True,
    )
