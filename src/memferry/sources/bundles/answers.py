"""The answer of an export of up to 10,000 rows, saved as it came: the file is a string in it."""

import hashlib
import io
import re
from typing import BinaryIO

import msgspec

from memferry.errors import Invalid

# Its first fields, with any white space between them, as programs that format JSON leave it.
_BEGINNING = re.compile(
    rb'\s*\{\s*"id"\s*:\s*"[0-9A-HJKMNP-TV-Z]{26}"\s*,\s*"status"\s*:\s*"[a-z]+"\s*,\s*"format"\s*:'
)
# A payload has 32 MiB at most, and in JSON up to twice as many unless most of it is escaped.
_MOST_BYTES = 80 * 1024 * 1024


class _Answer(msgspec.Struct):
    payload: str | None
    sha256: str | None


def is_export_answer(head: bytes) -> bool:
    """Whether a file with this beginning is what `POST` or `GET /api/memories/exports` answers."""
    return _BEGINNING.match(head) is not None


def open_payload(answer: BinaryIO) -> BinaryIO:
    """The file in an answer; closes `answer`.

    Raises Invalid for an answer without a payload, and for one that was changed or cut.
    """
    with answer:
        text = answer.read(_MOST_BYTES + 1)
    if len(text) > _MOST_BYTES:
        raise Invalid("file", "is the answer of an export with more than 80 MiB")
    try:
        decoded = msgspec.json.decode(text, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Invalid("file", f"is the answer of an export, and damaged: {fault}") from fault
    if decoded.payload is None:
        raise Invalid(
            "file", "is the answer of an export without a payload: send the file of its link"
        )
    payload = decoded.payload.encode()
    if hashlib.sha256(payload).hexdigest() != decoded.sha256:
        raise Invalid("file", "is the answer of an export whose payload was changed")
    return io.BytesIO(payload)
