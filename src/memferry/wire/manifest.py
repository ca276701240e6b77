"""The manifest of a completed export: its facts, a Data Package, and a signature.

https://datapackage.org/standard/data-package/ asks for `resources`; readers of version 1 also want
`profile`, and names of lower-case letters.
"""

from typing import Annotated, Any

import msgspec

from memferry.wire.schema import describe

_Hex = Annotated[str, describe(pattern="^[0-9a-f]{64}$")]


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes: how many, and their SHA-256 in hex."""

    bytes: int
    sha256: _Hex


class Resource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file, as a Data Package names it."""

    name: str
    path: Annotated[str, describe("the name of the file as it is downloaded")]
    format: str
    mediatype: str
    encoding: str | None = None
    bytes: int
    hash: Annotated[str, describe("sha256: and the digest in hex")]


class ManifestPart(msgspec.Struct, frozen=True, kw_only=True):
    """One file in both forms."""

    number: Annotated[int, describe("from 1", minimum=1)]
    path: str
    rows: int
    file: Annotated[Form, describe("as it is downloaded")]
    content: Annotated[Form, describe("neither compressed nor encrypted")]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Memories in the snapshot that match the filters, and memories in the files."""

    matched: int
    expired: Annotated[int, describe("memories that match and had expired; they are left out")]
    written: int


class ChainLink(msgspec.Struct, frozen=True, kw_only=True):
    """The place of a manifest among all manifests of its tenant."""

    id: Annotated[str, describe("the same in all manifests of one chain")]
    sequence: Annotated[int, describe("from 1, without a gap", minimum=1)]
    previous: Annotated[
        _Hex | None, describe("SHA-256 of the manifest before; null in the first one")
    ]


class ExportFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What memferry says of an export; times in epoch milliseconds UTC."""

    manifest: Annotated[int, describe("version of this shape")]
    software: str
    database: Annotated[str, describe("the last migration of the database")]
    export: str
    format: str
    options: dict[str, Any]
    filters: Annotated[
        dict[str, Any],
        describe("as the export shows them; a filter that is an object is JSON text"),
    ]
    namespaces: Annotated[
        list[str] | None, describe("those that the token was limited to; null: all of the tenant")
    ]
    created_at: int
    snapshot_at: int
    completed_at: int
    counts: Counts
    leaves_out: Annotated[str, describe("what of a memory the format does not hold")]
    content: Annotated[Form, describe("the export in one piece, neither compressed nor encrypted")]
    parts: list[ManifestPart]
    chain: ChainLink


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Over the canonical JSON (RFC 8785) of the document without this member."""

    algorithm: str
    key: Annotated[str, describe("the short name of the public key")]
    public_key: Annotated[str, describe("32 bytes in base64")]
    value: Annotated[str, describe("64 bytes in base64")]


class ManifestDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed."""

    schema: str = msgspec.field(
        name="$schema", default="https://datapackage.org/profiles/2.0/datapackage.json"
    )
    profile: str = "data-package"
    name: str
    id: Annotated[str, describe("the id of the export")]
    title: str = "Memories exported by memferry"
    created: Annotated[str, describe("when the export was completed, ISO 8601", format="date-time")]
    resources: list[Resource]
    memferry: ExportFacts


class Manifest(ManifestDocument, frozen=True, kw_only=True):
    """The manifest of a completed export."""

    signature: Signature


class VerificationKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key."""

    id: str
    algorithm: str
    public_key: Annotated[str, describe("32 bytes in base64")]
    pem: Annotated[str, describe("the same as other programs read it")]


class VerificationKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The public keys by which manifests of this service are verified."""

    keys: list[VerificationKey]
