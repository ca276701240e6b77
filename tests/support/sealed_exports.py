"""Exports in files with their signed manifests, made without a service."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import msgspec

from memferry.exports.manifest import Provenance, describe_export, name_file
from memferry.exports.request import ExportRequest
from memferry.files.encrypt import Encryptor
from memferry.files.manifest import manifest_name, seal_manifest
from memferry.files.signature import SigningKey
from memferry.model.export import Export, Part
from memferry.model.identity import new_export_id

TENANT = UUID("00000000-0000-7000-8000-00000000a11c")
KEY = SigningKey(b"the key of the service, in tests")


@dataclass(frozen=True)
class SealedExport:
    """The files of an export, and its manifest beside them."""

    files: list[Path]
    manifest: Path

    @property
    def sha256(self) -> bytes:
        """What the next manifest names."""
        return hashlib.sha256(self.manifest.read_bytes()).digest()


def write_export(
    directory: Path,
    contents: Sequence[bytes],
    *,
    rows: int = 2,
    before: SealedExport | None = None,
    sequence: int = 1,
    key: SigningKey = KEY,
    **options: object,
) -> SealedExport:
    """Write an export with a file for each content; with several it is a split one."""
    request = ExportRequest.parse(msgspec.json.encode({"format": "ndjson"} | options))
    packed = [_pack(content, request) for content in contents]
    parts = [
        Part(
            rows=rows,
            content_bytes=len(content),
            content_sha256=hashlib.sha256(content).hexdigest(),
            file_bytes=len(file),
            file_sha256=hashlib.sha256(file).hexdigest(),
        )
        for content, file in zip(contents, packed, strict=True)
    ]
    export = _make_export(request, contents, parts)
    provenance = Provenance(
        tenant_id=TENANT,
        sequence=sequence,
        previous=None if before is None else before.sha256,
        schema="0002_manifests",
        namespaces=None,
    )
    manifest = directory / manifest_name(export.id)
    manifest.write_bytes(seal_manifest(describe_export(export, request, provenance), key))
    files = [directory / name_file(export, request, n) for n in range(1, len(parts) + 1)]
    for path, data in zip(files, packed, strict=True):
        path.write_bytes(data)
    return SealedExport(files, manifest)


def _pack(content: bytes, request: ExportRequest) -> bytes:
    if request.codec is not None:
        compressor = request.codec.start()
        content = compressor.compress(content) + compressor.flush()
    if request.recipient is not None:
        encryptor = Encryptor(request.recipient)
        content = encryptor.compress(content) + encryptor.flush()
    return content


def _make_export(
    request: ExportRequest, contents: Sequence[bytes], parts: Sequence[Part]
) -> Export:
    whole = b"".join(contents)
    alone = parts[0] if len(parts) == 1 else None
    return Export(
        id=new_export_id(),
        status="completed",
        format=request.format.name,
        options=dict(request.options),
        filters=request.filters_json.decode(),
        row_count=sum(part.rows for part in parts),
        rows_done=sum(part.rows for part in parts),
        bytes_done=len(whole),
        sha256=hashlib.sha256(whole).digest(),
        file_bytes=None if alone is None else alone.file_bytes,
        file_sha256=None if alone is None else bytes.fromhex(alone.file_sha256),
        object_key=None,
        error=None,
        error_code=None,
        retryable=None,
        created_at=1,
        snapshot_at=2,
        completed_at=3,
        expires_at=4,
        expired_rows=0,
        purged_at=None,
        parts=None if alone is not None else parts,
    )
