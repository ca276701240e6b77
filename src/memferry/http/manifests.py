"""Manifests of completed exports, and the key by which they are verified."""

from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from memferry.errors import Invalid
from memferry.exports.service import Exports
from memferry.files.manifest import (
    MEDIA_TYPE,
    SUMS_EXTENSION,
    SUMS_MEDIA_TYPE,
    manifest_name,
    write_sums,
)
from memferry.files.signature import ALGORITHM
from memferry.http.auth import Access
from memferry.http.parameters import query_field
from memferry.http.reading import get_caller, read_query
from memferry.http.routing import Operation
from memferry.http.views import answer_json
from memferry.wire.manifest import Manifest, VerificationKey, VerificationKeys

_FORM = query_field("form", "string", "sha256sum: the digests of the files, for sha256sum -c")
_READ = Access(("exports:read",), alternative="exports:create")
_operation = partial(Operation, tag="exports")


class ManifestEndpoints:
    """The manifests of a tenant, and the public key of the service."""

    def __init__(self, exports: Exports) -> None:
        self._exports = exports

    def operations(self) -> list[Operation]:
        """All addresses of manifests and keys."""
        return [
            _operation(
                "GET /api/memories/exports/{export_id}/manifest", self.get_manifest, Manifest,
                errors=(404, 409), parameters=(_FORM,), access=_READ,
            ),
            _operation("GET /api/keys", self.list_keys, VerificationKeys),
        ]  # fmt: skip

    async def get_manifest(self, request: Request, export_id: str) -> Response:
        """What a completed export holds, signed: counts, sizes and digests, filters, its snapshot.

        It is in its canonical form (RFC 8785), and a Data Package too.
        """
        form = read_query(request).get("form")
        if form not in {None, "sha256sum"}:
            raise Invalid("form", "expected sha256sum, or nothing")
        text = await self._exports.get_manifest(get_caller(request), export_id)
        if form is None:
            return _answer_file(text, MEDIA_TYPE, manifest_name(export_id))
        manifest = msgspec.json.decode(text, type=Manifest)
        digests = [(part.path, part.file.sha256) for part in manifest.memferry.parts]
        name = f"memferry-{export_id}.{SUMS_EXTENSION}"
        return _answer_file(write_sums(digests), SUMS_MEDIA_TYPE, name)

    async def list_keys(self, request: Request) -> Response:  # noqa: ARG002 - every endpoint takes it
        """The public keys by which manifests are verified; needs no token."""
        key = await self._exports.read_public_key()
        shown = VerificationKey(id=key.id, algorithm=ALGORITHM, public_key=key.text, pem=key.pem)
        return answer_json(VerificationKeys(keys=[shown]))


def _answer_file(content: bytes, media_type: str, name: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, headers=headers, media_type=media_type)
