"""Bringing a finished export's bytes here: resumed where they broke off, verified at the end."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import httpx
from rich.console import Console
from rich.filesize import decimal
from rich.progress import Progress, TaskID

from memferry.cli.client import Client, ServiceRefused
from memferry.errors import Invalid, MemferryError
from memferry.files.compress import CODECS

_CHUNK_BYTES = 1024 * 1024
_TRIES = 5
_WHOLE, _PART = httpx.codes.OK, httpx.codes.PARTIAL_CONTENT


def fetch_to_file(
    client: Client,
    export: dict[str, Any],
    target: Path,
    progress: Progress,
    compression: str | None = None,
) -> None:
    """Write to a temporary name beside the target, which appears only whole and verified.

    A download that is cut off for good leaves the temporary file: the next one goes on there.
    Both are readable by their owner alone.
    """
    partial = target.with_name(f".{target.name}.{export['id']}.partial")
    digest = hashlib.sha256()
    try:
        with open(partial, "a+b", opener=private) as file:
            done = _already_there(file, digest)
            _fetch(client, export, _Place(file, digest, done), progress, compression)
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as fault:
        raise Invalid("--output", f"cannot write {target}: {fault.strerror}") from fault
    except WrongDigest:
        with suppress(OSError):
            partial.unlink()
        raise
    except (MemferryError, KeyboardInterrupt):
        Console(stderr=True).print(
            f"go on with: memferry export --id {export['id']} -o {target}", soft_wrap=True
        )
        raise


def private(path: str, flags: int) -> int:
    """Open a file that only its owner reads."""
    return os.open(path, flags, 0o600)


class WrongDigest(ServiceRefused):
    """The downloaded bytes are not the exported ones (SHA-256 differs)."""


def fetch_to_stream(
    client: Client,
    export: dict[str, Any],
    file: BinaryIO,
    progress: Progress,
    compression: str | None = None,
) -> None:
    """Write the bytes of a finished export; raises WrongDigest if they are not as promised."""
    _fetch(client, export, _Place(file, hashlib.sha256(), 0), progress, compression)


class _Place:
    """Where bytes go, and what went there already."""

    def __init__(self, file: BinaryIO, digest: Any, done: int) -> None:
        self._file = file
        self.digest = digest
        self.done = done

    def take(self, data: bytes) -> None:
        """Append."""
        self._file.write(data)
        self.digest.update(data)
        self.done += len(data)

    def flush(self) -> None:
        """Hand everything on."""
        self._file.flush()


def _already_there(file: BinaryIO, digest: Any) -> int:
    """How many bytes an earlier download has left; they are read into the digest."""
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return file.tell()


def _fetch(
    client: Client,
    export: dict[str, Any],
    place: _Place,
    progress: Progress,
    compression: str | None,
) -> None:
    if export["payload"] is None:
        _download(client, export, place, progress)
        promised = export["file_sha256"]
    else:
        data = _packed(export, compression)
        place.take(data[place.done :])
        promised = hashlib.sha256(data).hexdigest()
    place.flush()
    if place.digest.hexdigest() != promised:
        raise WrongDigest


def _packed(export: dict[str, Any], compression: str | None) -> bytes:
    """The payload as a file: the service never compresses it."""
    data: bytes = export["payload"].encode()
    if hashlib.sha256(data).hexdigest() != export["sha256"]:
        raise WrongDigest
    if compression is None:
        return data
    compressor = CODECS[compression].start()
    return compressor.compress(data) + compressor.flush()


def _download(client: Client, export: dict[str, Any], place: _Place, progress: Progress) -> None:
    """Download by link; a broken connection is taken up where it broke, by a fresh link.

    Gives up after five tries in a row that brought nothing.
    """
    task = progress.add_task("downloading", total=export["file_bytes"], shown="")
    tries = 0
    while place.done < export["file_bytes"]:
        before = place.done
        try:
            for chunk in _rest(client, export, place.done):
                place.take(chunk)
                _show(progress, task, place.done)
        except httpx.TransportError as fault:
            tries = 0 if place.done > before else tries + 1
            if tries == _TRIES:
                raise ServiceRefused(f"the download broke off: {fault}") from fault
            time.sleep(tries)
            export = client.call("GET", f"/api/memories/exports/{export['id']}")
    _show(progress, task, place.done)


def _rest(client: Client, export: dict[str, Any], start: int) -> Iterator[bytes]:
    if export["download_url"] is None:
        raise ServiceRefused(f"export {export['id']} is {export['status']}: no file to download")
    with client.download(export["download_url"], start) as answer:
        if answer.is_server_error:
            raise httpx.ReadError(f"the download was answered with {answer.status_code}")
        if answer.status_code != (_PART if start else _WHOLE):
            raise ServiceRefused(f"the download was answered with {answer.status_code}")
        yield from answer.iter_raw()


def _show(progress: Progress, task: TaskID, done: int) -> None:
    progress.update(task, completed=done, shown=decimal(done))
