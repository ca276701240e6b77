"""The manifest of an export as bytes: sealed with a key, and opened again.

What is signed is the canonical form of the document without its member `signature`. The document
is stored and sent in its canonical form, whose SHA-256 the next manifest of the chain names.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from memferry.errors import WrongManifest
from memferry.files.canonical_json import decode_strict, encode_canonical
from memferry.files.signature import ALGORITHM, PublicKey, SigningKey

EXTENSION = "manifest.json"
MEDIA_TYPE = "application/json"
SUMS_EXTENSION = "sha256"
SUMS_MEDIA_TYPE = "text/plain; charset=utf-8"
MOST_BYTES = 4 * 1024 * 1024
"""No manifest is larger."""


def manifest_name(export_id: str) -> str:
    """The name of a manifest beside the files of its export."""
    return f"memferry-{export_id}.{EXTENSION}"


def seal_manifest(document: Mapping[str, Any], key: SigningKey) -> bytes:
    """The signed document in its canonical form."""
    signature = {
        "algorithm": ALGORITHM,
        "key": key.public.id,
        "public_key": key.public.text,
        "value": base64.b64encode(key.sign(encode_canonical(document))).decode(),
    }
    return encode_canonical({**document, "signature": signature})


@dataclass(frozen=True)
class OpenedManifest:
    """A manifest whose signature is good for the key it names; whose key that is, is not known."""

    text: bytes
    """In its canonical form."""
    key: PublicKey

    @property
    def sha256(self) -> str:
        """The digest that the next manifest of the chain names, in hex."""
        return hashlib.sha256(self.text).hexdigest()


def open_manifest(text: bytes) -> OpenedManifest:
    """Check the signature of a manifest, white space aside; raises WrongManifest.

    Members that only a newer version knows are signed like the others.
    """
    try:
        document = decode_strict(text)
        signature = document.pop("signature")
        key = PublicKey(base64.b64decode(signature["public_key"], validate=True))
        value = base64.b64decode(signature["value"], validate=True)
        signed = encode_canonical(document)
        canonical = encode_canonical({**document, "signature": signature})
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as fault:
        raise WrongManifest(f"it is no manifest of memferry ({fault})") from fault
    if signature.get("algorithm") != ALGORITHM or signature.get("key") != key.id:
        raise WrongManifest("its signature names another algorithm or key than it was made with")
    if not key.verifies(value, signed):
        raise WrongManifest("its signature is wrong: it was changed after it was signed")
    return OpenedManifest(canonical, key)


def write_sums(digests: Iterable[tuple[str, str]]) -> bytes:
    """Lines of digest in hex and file name, as `sha256sum -c` reads them."""
    return "".join(f"{sha256}  {name}\n" for name, sha256 in digests).encode()
