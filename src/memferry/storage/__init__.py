"""Object stores, chosen by their address."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from memferry.errors import Misconfigured
from memferry.settings import StorageSettings
from memferry.storage.base import (
    ObjectInfo,
    Storage,
    Upload,
    read_whole,
    remove_prefix,
    remove_with_companions,
    replace_bytes,
)
from memferry.storage.local import LocalStorage
from memferry.storage.s3 import S3Storage


def open_storage(settings: StorageSettings) -> Storage:
    """The store at `file:///directory` or `s3://bucket/prefix`; connects to nothing yet.

    Raises Misconfigured for any other address.
    """
    parts = urlsplit(settings.address)
    if parts.scheme == "file" and parts.netloc == "" and parts.path.startswith("/"):
        return LocalStorage(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        return S3Storage(parts.netloc, parts.path.strip("/"), settings.s3)
    raise Misconfigured("MEMFERRY_STORAGE_URL: expected file:///directory or s3://bucket/prefix")


__all__ = [
    "ObjectInfo",
    "Storage",
    "Upload",
    "open_storage",
    "read_whole",
    "remove_prefix",
    "remove_with_companions",
    "replace_bytes",
]
