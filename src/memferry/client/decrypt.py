"""Decryption of exports with keys that never leave this machine, verified to the last byte."""

from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import pyrage

from memferry.client.local_files import HashedFile, replace_when_whole
from memferry.errors import Invalid, WrongDigest, WrongKey
from memferry.files.compress import CODECS
from memferry.wire.exports import ExportAnswer

Identities = list[Any]


def read_identities(path: Path) -> Identities:
    """Read the secret keys of a file that age-keygen has written.

    Raises Invalid, which names `identity` and repeats nothing of the file.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        identities = [pyrage.x25519.Identity.from_str(key) for key in keys]
    except OSError as fault:
        raise Invalid("identity", f"cannot read {path}: {fault.strerror}") from fault
    except (pyrage.IdentityError, UnicodeDecodeError) as fault:
        raise Invalid("identity", f"{path} holds something else than keys of age") from fault
    if not identities:
        raise Invalid("identity", f"{path} holds no key")
    return identities


def decrypt_to_file(
    source: Path, target: Path, identities: Identities, export: ExportAnswer
) -> None:
    """Write the decrypted file, which appears only when its content is verified.

    Raises WrongKey, WrongDigest, or Invalid, which names `output`.
    """
    partial = target.with_name(f".{target.name}.{export.id}.decrypted")
    try:
        with replace_when_whole(target, partial, "wb") as file, source.open("rb") as encrypted:
            decrypt(encrypted, file, identities, export)
    finally:
        with suppress(OSError):
            partial.unlink()


def decrypt(
    source: BinaryIO, target: BinaryIO, identities: Identities, export: ExportAnswer
) -> None:
    """Write the decrypted bytes; raises WrongDigest if their content is not what was exported.

    Raises WrongKey if none of the identities opens the file.
    """
    codec = CODECS.get(export.compression or "")
    hashed = HashedFile(target, None if codec is None else codec.reader())
    try:
        pyrage.decrypt_io(source, hashed, identities)
    except pyrage.DecryptError as fault:
        if hashed.fault is not None:
            raise hashed.fault from fault
        raise WrongKey(f"export {export.id} is not for this key: {fault}") from fault
    if (hashed.size_bytes, hashed.sha256) != (export.bytes_done, export.sha256):
        raise WrongDigest
