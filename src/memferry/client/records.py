"""The memories of an export as they come over the line, without a file in between."""

import hashlib
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from memferry.client.download import Download
from memferry.client.exact_json import make_decoder
from memferry.client.steps import Item, Listing
from memferry.errors import DownloadBroken, Invalid, WrongDigest
from memferry.files.compress import CODECS
from memferry.wire.exports import ExportAnswer

_T = TypeVar("_T")


def check_readable(export: ExportAnswer) -> None:
    """Raise Invalid, which names the option, for an export whose records are no plain lines."""
    if export.format != "ndjson":
        raise Invalid(
            "format", f"records come from an export as ndjson, and this is {export.format}"
        )
    if export.encrypted:
        raise Invalid("encrypt_to", "an encrypted export is downloaded with identities=, not read")


def iterate_records(download: Download, record_type: type[_T]) -> Listing[_T]:
    """Hand out the records of one file of NDJSON; raises WrongDigest after the last if it differs.

    Raises DownloadBroken for a line that is no such record.
    """
    reader, lines, digest = download.open(), _Lines(download), hashlib.sha256()
    decoder = make_decoder(record_type)
    while chunk := (yield from reader.read()):
        digest.update(chunk)
        for line in lines.feed(chunk):
            yield Item(_decode(decoder, line))
    if lines.rest or digest.hexdigest() != reader.sha256:
        raise WrongDigest


class _Lines:
    """Cuts chunks of a file, compressed or not, into lines."""

    def __init__(self, download: Download) -> None:
        # A payload is never compressed unless this machine does it.
        name = download.export.compression if download.export.payload is None else None
        codec = CODECS.get(name or "")
        self._reader = None if codec is None else codec.reader()
        self.rest = b""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Take a chunk, and yield the lines that are whole."""
        text = chunk if self._reader is None else self._reader.decompress(chunk)
        *lines, self.rest = (self.rest + text).split(b"\n")
        return iter(lines)


def _decode(decoder: "msgspec.json.Decoder[_T]", line: bytes) -> _T:
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, ValueError) as fault:
        raise DownloadBroken(f"a line of the export is no memory: {fault}") from fault
