"""Opening an encrypted export: with a key that never leaves this machine, checked to the end."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import pyrage

from memferry.cli.client import ServiceRefused
from memferry.cli.download import WrongDigest, private
from memferry.errors import Invalid
from memferry.files.compress import CODECS, Decompressor

Identities = list[Any]


def read_identities(path: Path) -> Identities:
    """The secret keys of a file as age-keygen writes it; raises Invalid, and repeats nothing."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        keys = [each.strip() for each in lines if each.strip() and not each.startswith("#")]
        found = [pyrage.x25519.Identity.from_str(each) for each in keys]
    except OSError as fault:
        raise Invalid("--identity", f"cannot read {path}: {fault.strerror}") from fault
    except (pyrage.IdentityError, UnicodeDecodeError) as fault:
        raise Invalid("--identity", f"{path} holds something else than keys of age") from fault
    if not found:
        raise Invalid("--identity", f"{path} holds no key")
    return found


def decrypt_to_file(
    source: Path, target: Path, identities: Identities, export: dict[str, Any]
) -> None:
    """Put the decrypted file into its place, once its content is what was exported."""
    partial = target.with_name(f".{target.name}.{export['id']}.decrypted")
    try:
        with source.open("rb") as sealed, open(partial, "wb", opener=private) as file:
            decrypt(sealed, file, identities, export)
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as fault:
        raise Invalid("--output", f"cannot write {target}: {fault.strerror}") from fault
    finally:
        with suppress(OSError):
            partial.unlink()


def decrypt(
    source: BinaryIO, target: BinaryIO, identities: Identities, export: dict[str, Any]
) -> None:
    """Write what is inside; raises WrongDigest if its content is not what was exported."""
    codec = CODECS.get(export["compression"] or "")
    place = _Checked(target, None if codec is None else codec.reader())
    try:
        pyrage.decrypt_io(source, place, identities)
    except pyrage.DecryptError as fault:
        if place.fault is not None:
            raise place.fault from fault
        raise ServiceRefused(f"export {export['id']} is not for this key: {fault}") from fault
    if (place.size_bytes, place.sha256) != (export["bytes_done"], export["sha256"]):
        raise WrongDigest


class _Checked:
    """A file that notes size and digest of the content that was written to it, decompressed."""

    def __init__(self, file: BinaryIO, reader: Decompressor | None) -> None:
        self._file = file
        self._reader = reader
        self._digest = hashlib.sha256()
        self.size_bytes = 0
        self.fault: OSError | None = None

    @property
    def sha256(self) -> str:
        """The digest so far, in hex."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        """Append."""
        try:
            self._file.write(data)
        except OSError as fault:
            self.fault = fault
            raise
        content = data if self._reader is None else self._reader.decompress(data)
        self._digest.update(content)
        self.size_bytes += len(content)
        return len(data)

    def flush(self) -> None:
        """Hand everything on."""
        self._file.flush()
