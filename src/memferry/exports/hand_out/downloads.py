"""The files of completed exports: where they can be downloaded, and their bytes."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from memferry.database.pool import Database
from memferry.database.sql import sql
from memferry.errors import DownloadNotFound, ExportNotFound, ObjectNotFound
from memferry.exports.hand_out.links import LIFETIME, Link, Links
from memferry.exports.service import Exports
from memferry.files.compress import CODECS
from memferry.files.kind import file_name, media_type
from memferry.formats import FORMATS
from memferry.model.export import Export, part_key
from memferry.model.token import Caller
from memferry.settings import ExportSettings
from memferry.storage import Storage
from memferry.telemetry import log_event


@dataclass(frozen=True)
class Download:
    """A file that can be read now: its size in bytes, SHA-256, name and media type."""

    tenant_id: UUID
    export_id: str
    object_key: str
    size_bytes: int
    sha256: bytes
    filename: str
    media_type: str


class Downloads:
    """Mints links and serves what they stand for."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        exports: Exports,
        settings: ExportSettings = ExportSettings(),
    ) -> None:
        """With direct downloads, links are the store's own where it can sign.

        Nobody notes what is downloaded by those.
        """
        self._direct = settings.direct_downloads
        self._database = database
        self._storage = storage
        self._exports = exports

    async def list_addresses(self, caller: Caller, export: Export) -> Sequence[str]:
        """Where the files can be downloaded for the next 15 minutes, one for each part.

        A path of this service, or the absolute address that the store has signed. Minted anew on
        each call, never stored. There are none while there is no whole file.
        """
        if export.object_key is None:
            return []
        try:
            await self._storage.stat(export.object_key)
        except ObjectNotFound:
            log_event("file.missed", export=export.id)
            return []
        numbers = range(1, len(export.parts or [None]) + 1)
        keys = [part_key(export.object_key, number) for number in numbers]
        if self._direct:
            signed = [await self._storage.sign(key, lifetime=LIFETIME) for key in keys]
            if addresses := [address for address in signed if address is not None]:
                return addresses
        links = await self._links()
        sealed = [links.seal(Link(caller.tenant_id, export.id, number)) for number in numbers]
        return [f"/downloads/{text}" for text in sealed]

    async def open(self, text: str) -> Download:
        """The file a link stands for; raises DownloadNotFound."""
        link = (await self._links()).open(text)
        try:
            export = await self._exports.get(Caller(tenant_id=link.tenant_id), link.export_id)
            if export.object_key is None or (digest := _find_digest(export, link.part)) is None:
                raise DownloadNotFound(link.export_id)
            key = part_key(export.object_key, link.part)
            info = await self._storage.stat(key)
        except (ExportNotFound, ObjectNotFound) as fault:
            raise DownloadNotFound(link.export_id) from fault
        codec = CODECS.get(export.options["compression"] or "")
        encrypted = export.options["encrypt_to"] is not None
        return Download(
            link.tenant_id,
            link.export_id,
            key,
            info.size_bytes,
            digest,
            file_name(
                export.id,
                FORMATS[export.format],
                codec,
                encrypted=encrypted,
                part=None if export.parts is None else link.part,
            ),
            media_type(FORMATS[export.format], codec, encrypted=encrypted),
        )

    def read(self, download: Download, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`."""
        return self._storage.read(download.object_key, start, end)

    def count_read_bytes(self, start: int, end: int) -> int:
        """How much memory it takes to read so far, whatever the size of the file."""
        return min(end - start, self._storage.read_bytes)

    async def _links(self) -> Links:
        async with self._database.connection() as connection:
            return Links(await connection.fetchval(sql("database/get_key"), "links"))


def _find_digest(export: Export, number: int) -> bytes | None:
    """The SHA-256 of one file of an export as it is stored; None if there is no such file."""
    if export.parts is not None:
        if number > len(export.parts):
            return None
        return bytes.fromhex(export.parts[number - 1].file_sha256)
    return (export.file_sha256 or export.sha256) if number == 1 else None
