"""What the manifest of a completed export says."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any
from uuid import UUID

import msgspec

from memferry.exports.request import ExportRequest
from memferry.files.canonical_json import MOST_EXACT
from memferry.files.kind import file_name, media_type
from memferry.formats import TextFormat
from memferry.model.export import Export, Part
from memferry.wire.manifest import (
    ChainLink,
    Counts,
    ExportFacts,
    Form,
    ManifestDocument,
    ManifestPart,
    Resource,
)

_VERSION = 1
_SOFTWARE = version("memferry")


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a manifest comes from: whose export it is about, and which one was before it."""

    tenant_id: UUID
    sequence: int
    previous: bytes | None
    schema: str
    """The last migration of the database."""
    namespaces: Sequence[str] | None
    """The limit of the token that asked for the export."""

    @property
    def chain_id(self) -> str:
        """A name of the chain that tells nothing of its tenant."""
        return hashlib.sha256(b"memferry chain " + self.tenant_id.bytes).hexdigest()[:32]


def describe_export(
    export: Export, request: ExportRequest, provenance: Provenance
) -> Mapping[str, Any]:
    """The manifest of a completed export, without a signature; `request` is the stored one."""
    parts = _list_parts(export, request)
    created = datetime.fromtimestamp((export.completed_at or 0) / 1000, UTC)
    document = ManifestDocument(
        name=f"memferry-{export.id.lower()}",
        id=export.id,
        created=created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        resources=[_describe_resource(part, request) for part in parts],
        memferry=_gather_facts(export, request, provenance, parts),
    )
    facts: Mapping[str, Any] = msgspec.to_builtins(document)
    return facts


def _gather_facts(
    export: Export, request: ExportRequest, provenance: Provenance, parts: list[ManifestPart]
) -> ExportFacts:
    return ExportFacts(
        manifest=_VERSION,
        software=_SOFTWARE,
        database=provenance.schema,
        export=export.id,
        format=export.format,
        options=dict(export.options),
        filters=_show_filters(export.filters),
        namespaces=None if provenance.namespaces is None else sorted(provenance.namespaces),
        created_at=export.created_at,
        snapshot_at=export.snapshot_at or 0,
        completed_at=export.completed_at or 0,
        counts=Counts(
            matched=export.row_count,
            expired=export.expired_rows or 0,
            written=sum(part.rows for part in parts),
        ),
        leaves_out=request.format.leaves_out,
        content=Form(bytes=export.bytes_done, sha256=(export.sha256 or b"").hex()),
        parts=parts,
        chain=ChainLink(
            id=provenance.chain_id,
            sequence=provenance.sequence,
            previous=None if provenance.previous is None else provenance.previous.hex(),
        ),
    )


def _show_filters(text: str) -> dict[str, Any]:
    filters = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    return {field: _show_filter(bytes(value).decode()) for field, value in filters.items()}


def _show_filter(text: str) -> Any:
    """The value; what holds numbers that a reader may round is shown as its JSON text."""
    if text.startswith("{"):
        return text
    value = msgspec.json.decode(text)
    return text if isinstance(value, int) and value > MOST_EXACT else value


def list_files(export: Export) -> Sequence[Part]:
    """The files of a completed export, or its payload: at least one."""
    if export.parts is not None:
        return export.parts
    sha256 = (export.sha256 or b"").hex()
    return [
        Part(
            rows=export.row_count,
            content_bytes=export.bytes_done,
            content_sha256=sha256,
            file_bytes=export.bytes_done if export.file_bytes is None else export.file_bytes,
            file_sha256=sha256 if export.file_sha256 is None else export.file_sha256.hex(),
        )
    ]


def name_file(export: Export, request: ExportRequest, number: int) -> str:
    """The name of a file of an export by its number, from 1."""
    encrypted, part = request.recipient is not None, None if export.parts is None else number
    return file_name(export.id, request.format, request.codec, encrypted=encrypted, part=part)


def _list_parts(export: Export, request: ExportRequest) -> list[ManifestPart]:
    return [
        ManifestPart(
            number=number,
            path=name_file(export, request, number),
            rows=part.rows,
            file=Form(bytes=part.file_bytes, sha256=part.file_sha256),
            content=Form(bytes=part.content_bytes, sha256=part.content_sha256),
        )
        for number, part in enumerate(list_files(export), start=1)
    ]


def _describe_resource(part: ManifestPart, request: ExportRequest) -> Resource:
    encrypted = request.recipient is not None
    is_text = isinstance(request.format, TextFormat) and not encrypted
    return Resource(
        name=f"part-{part.number}",
        path=part.path,
        format=request.format.extension,
        mediatype=media_type(request.format, request.codec, encrypted=encrypted),
        encoding="utf-8" if is_text else None,
        bytes=part.file.bytes,
        hash=f"sha256:{part.file.sha256}",
    )
