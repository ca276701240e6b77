"""What the file of an export is called, and its media type."""

from memferry.files import encrypt
from memferry.files.compress import Codec
from memferry.formats import TextFormat


def file_name(
    export_id: str, file_format: type[TextFormat], codec: Codec | None, *, encrypted: bool
) -> str:
    """The name a downloaded file gets."""
    name = f"memferry-{export_id}.{file_format.extension}"
    if codec is not None:
        name += f".{codec.extension}"
    return f"{name}.{encrypt.EXTENSION}" if encrypted else name


def media_type(file_format: type[TextFormat], codec: Codec | None, *, encrypted: bool) -> str:
    """What the file is; a packed one is an archive of its own, not a transfer encoding."""
    if encrypted:
        return encrypt.MEDIA_TYPE
    return file_format.media_type if codec is None else codec.media_type
