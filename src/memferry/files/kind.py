"""What the file of an export is called, and its media type."""

from memferry.files import encrypt
from memferry.files.compress import Codec
from memferry.formats import Format


def file_name(
    export_id: str,
    format_: Format,
    codec: Codec | None,
    *,
    encrypted: bool,
    part: int | None = None,
) -> str:
    """The name a downloaded file gets; `part` is its number, from 1, in an export that is split."""
    number = "" if part is None else f".part-{part:04}"
    name = f"memferry-{export_id}{number}.{format_.extension}"
    if codec is not None:
        name += f".{codec.extension}"
    return f"{name}.{encrypt.EXTENSION}" if encrypted else name


def media_type(format_: Format, codec: Codec | None, *, encrypted: bool) -> str:
    """What the file is; a packed one is an archive of its own, not a transfer encoding."""
    if encrypted:
        return encrypt.MEDIA_TYPE
    return format_.media_type if codec is None else codec.media_type
