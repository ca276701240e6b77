"""Ed25519 (RFC 8032): the keys that sign manifests and the ones that verify them."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from memferry.errors import Invalid

ALGORITHM = "Ed25519"
_KEY_BYTES = 32
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----")


@dataclass(frozen=True)
class PublicKey:
    """The half that anybody may have: 32 bytes."""

    raw: bytes

    @classmethod
    def read(cls, field: str, text: str) -> Self:
        """A key as PEM or as its bytes in base64; raises Invalid that names the field."""
        if (pem := _PEM.search(text)) is not None:
            return cls(_read_pem(field, pem[0]))
        try:
            raw = base64.b64decode(text.strip(), validate=True)
        except binascii.Error:
            raw = b""
        if len(raw) != _KEY_BYTES:
            raise Invalid(field, "expected a public key as memferry key show prints it")
        return cls(raw)

    @property
    def id(self) -> str:
        """A short name: the first 16 hex digits of the SHA-256 of its bytes."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    @property
    def text(self) -> str:
        """Its bytes in base64."""
        return base64.b64encode(self.raw).decode()

    @property
    def pem(self) -> str:
        """The key as other programs read it (RFC 8410)."""
        key = Ed25519PublicKey.from_public_bytes(self.raw)
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the private half has signed the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class SigningKey:
    """The half that only the service has; its bytes are shown to nobody, not even in a repr."""

    def __init__(self, seed: bytes) -> None:
        """`seed` is any 32 bytes, by chance."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """The signature: 64 bytes."""
        return self._key.sign(message)


def _read_pem(field: str, text: str) -> bytes:
    try:
        key = load_pem_public_key(text.encode())
    except ValueError as fault:
        raise Invalid(field, "holds a public key that cannot be read") from fault
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid(field, "holds a public key of another kind than Ed25519")
    return key.public_bytes_raw()
