"""Download links, sealed by the service: short-lived, each for one file."""

import base64
import binascii
import hashlib
import hmac
import struct
import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from memferry.errors import DownloadNotFound

LIFETIME = timedelta(minutes=15)
_TAG_BYTES = 32
_CLAIMS = struct.Struct(">16s26sI")
# With the number of a part, for all but the first one.
_PART_CLAIMS = struct.Struct(">16s26sIH")
_FIRST_PART = b"\0\x01"


@dataclass(frozen=True)
class Link:
    """What a link stands for."""

    tenant_id: UUID
    export_id: str
    part: int = 1
    """The number of the file, in an export that was split."""


class Links:
    """Seals links with HMAC-SHA256 (RFC 2104): they need not be stored, and hold no token."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, link: Link) -> str:
        """The link as text for an address; it works for 15 minutes."""
        expires = int(time.time() + LIFETIME.total_seconds())
        claims = _CLAIMS.pack(link.tenant_id.bytes, link.export_id.encode(), expires)
        if link.part > 1:
            claims += link.part.to_bytes(2)
        return base64.urlsafe_b64encode(claims + self._tag(claims)).rstrip(b"=").decode()

    def open(self, text: str) -> Link:
        """What a link stands for; raises DownloadNotFound if it is forged, cut or too old."""
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as fault:
            raise DownloadNotFound from fault
        claims, tag = sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(claims)):
            raise DownloadNotFound
        has_part = len(claims) == _PART_CLAIMS.size
        tenant, export, expires, part = _PART_CLAIMS.unpack(
            claims if has_part else claims + _FIRST_PART
        )
        if expires < time.time():
            raise DownloadNotFound(export.decode())
        return Link(UUID(bytes=tenant), export.decode(), part)

    def _tag(self, claims: bytes) -> bytes:
        return hmac.digest(self._key, claims, hashlib.sha256)
