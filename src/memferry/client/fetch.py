"""Fetches a completed export: downloads it, verifies it, and decrypts it if there are keys."""

import tempfile
from functools import partial
from pathlib import Path
from typing import BinaryIO

from memferry.client.decrypt import Identities, decrypt, decrypt_to_file
from memferry.client.download import Download, name_partial
from memferry.client.steps import Flow, WorkStep
from memferry.files.encrypt import EXTENSION


def fetch_to_file(
    download: Download, target: Path, identities: Identities | None = None
) -> Flow[None]:
    """Save an export as a file, which appears only when it is whole and verified.

    With identities the encrypted file lies beside the target until it is decrypted, and stays there
    if it cannot be. Raises ClientError, or Invalid, which names `output`.
    """
    if identities is None:
        yield from download.save(target)
        return
    encrypted = _name_encrypted(target)
    yield from download.save(encrypted)
    yield WorkStep(partial(decrypt_to_file, encrypted, target, identities, download.export))
    encrypted.unlink()


def fetch_to_stream(
    download: Download, stream: BinaryIO, identities: Identities | None = None
) -> Flow[None]:
    """Write an export to a stream; raises ClientError, at the latest after the last byte.

    With identities nothing is written before the encrypted file is here, whole and verified.
    """
    if identities is None:
        yield from download.write(stream)
        return
    with tempfile.TemporaryFile() as file:
        yield from download.write(file)
        file.seek(0)
        yield WorkStep(partial(decrypt, file, stream, identities, download.export))


def find_resumable(target: Path, export_id: str) -> Path | None:
    """Find the file whose download can be resumed: the target, or its encrypted form."""
    paths = (target, _name_encrypted(target))
    return next((path for path in paths if name_partial(path, export_id).exists()), None)


def _name_encrypted(target: Path) -> Path:
    return target.with_name(f"{target.name}.{EXTENSION}")
