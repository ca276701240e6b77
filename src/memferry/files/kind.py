"""What the file of an export is called, and its media type."""

import re

from memferry.files import encrypt
from memferry.files.compress import Codec
from memferry.formats import Format

_PART = re.compile(r"\.part-[0-9]{4}(?=\.|$)")


def file_name(
    export_id: str,
    format_: Format,
    codec: Codec | None,
    *,
    encrypted: bool,
    part: int | None = None,
) -> str:
    """The name a downloaded file gets; `part` is its number, from 1, in an export that is split."""
    name = f"memferry-{export_id}.{format_.extension}"
    if codec is not None:
        name += f".{codec.extension}"
    if encrypted:
        name += f".{encrypt.EXTENSION}"
    return name if part is None else name_part(name, part)


def name_part(name: str, number: int) -> str:
    """The name of a part beside others, of a file that would have that name in one piece."""
    stem, _, endings = name.partition(".")
    return f"{stem}.part-{number:04}" + (f".{endings}" if endings else "")


def join_part(name: str) -> str:
    """The name that a file would have in one piece, of a part or any other file."""
    return _PART.sub("", name, count=1)


def media_type(format_: Format, codec: Codec | None, *, encrypted: bool) -> str:
    """What the file is; a packed one is an archive of its own, not a transfer encoding."""
    if encrypted:
        return encrypt.MEDIA_TYPE
    return format_.media_type if codec is None else codec.media_type
