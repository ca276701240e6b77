"""Object stores, chosen by their address."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from memferry.errors import Misconfigured
from memferry.storage.base import ObjectInfo, Storage, Upload, read_whole
from memferry.storage.local import LocalStorage
from memferry.storage.s3 import S3Storage
from memferry.storage.s3_uploads import S3Options


def open_storage(url: str, options: S3Options) -> Storage:
    """The store at `file:///directory` or `s3://bucket/prefix`; connects to nothing yet.

    Raises Misconfigured for any other address.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc == "" and parts.path.startswith("/"):
        return LocalStorage(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        return S3Storage(parts.netloc, parts.path.strip("/"), options)
    raise Misconfigured("MEMFERRY_STORAGE_URL: expected file:///directory or s3://bucket/prefix")


__all__ = ["ObjectInfo", "S3Options", "Storage", "Upload", "open_storage", "read_whole"]
