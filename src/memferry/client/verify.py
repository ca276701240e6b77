"""Verification of exported files against their signed manifests, without the service."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from memferry.client.decrypt import Identities
from memferry.client.manifests import (
    LocalManifest,
    find_broken_links,
    find_gaps,
    find_manifest,
    is_manifest,
    load_manifest,
)
from memferry.client.unpack import Forms, read_forms
from memferry.errors import Invalid, WrongManifest
from memferry.files.compress import CODECS
from memferry.files.digest import Digest
from memferry.files.encrypt import EXTENSION as SEALED
from memferry.files.kind import join_part, name_part
from memferry.files.manifest import EXTENSION
from memferry.files.row_count import ROW_COUNTERS, RowCounter
from memferry.files.signature import PublicKey
from memferry.wire.manifest import Form, ManifestPart

_PACKINGS = (*(codec.extension for codec in CODECS.values()), SEALED)


@dataclass(frozen=True)
class Verdict:
    """One line about one file."""

    kind: Literal["ok", "note", "wrong"]
    file: str
    text: str


@dataclass
class Verification:
    """Files with the manifests that they are to be compared with; iterate `run` for verdicts."""

    files: Sequence[Path]
    manifest: Path | None = None
    """Of all files; None: the one that lies beside each."""
    key: PublicKey | None = None
    identities: Identities | None = None
    _files: dict[Path, list[Path]] = field(default_factory=dict)
    """The files that belong to each manifest."""

    def run(self) -> Iterator[Verdict]:
        """Check every manifest with all of its files, then the chain of the manifests."""
        yield from self._assign_files()
        manifests = []
        for path, files in self._files.items():
            try:
                manifest = load_manifest(path)
            except (WrongManifest, Invalid) as fault:
                yield Verdict("wrong", str(path), _get_reason(fault))
                continue
            manifests.append(manifest)
            yield self._compare_key(manifest)
            yield from self._check_parts(manifest, files)
        for text in find_broken_links(manifests):
            yield Verdict("wrong", "chain", text)
        for text in find_gaps(manifests):
            yield Verdict("note", "chain", f"not here: {text}")

    def _assign_files(self) -> Iterator[Verdict]:
        for file in self.files:
            if is_manifest(file):
                self._files.setdefault(file, [])
            elif (manifest := self.manifest or find_manifest(file)) is not None:
                self._files.setdefault(manifest, []).append(file)
            else:
                yield Verdict("wrong", str(file), "no manifest lies beside it; name it: --manifest")

    def _compare_key(self, manifest: LocalManifest) -> Verdict:
        name, signer = str(manifest.path), manifest.opened.key
        if self.key is None:
            text = f"signed by the key {signer.id}, which it brings itself; compare it: --key"
            return Verdict("note", name, text)
        if self.key != signer:
            text = f"signed by the key {signer.id}, and not by {self.key.id}"
            return Verdict("wrong", name, text)
        return Verdict("ok", name, f"signed by the key {signer.id}")

    def _check_parts(self, manifest: LocalManifest, files: Sequence[Path]) -> Iterator[Verdict]:
        parts = manifest.document.memferry.parts
        left = list(files)
        for part in parts:
            path = _take_file(part, manifest.path, left, alone=len(parts) == 1)
            if path is None:
                text = f"{part.path} is missing: part {part.number} of {len(parts)}"
                yield Verdict("wrong", str(manifest.path), text)
            else:
                yield from self._check_file(path, part, manifest)
        for file in left:
            yield Verdict("wrong", str(file), f"{manifest.path} names no such file")

    def _check_file(
        self, path: Path, part: ManifestPart, manifest: LocalManifest
    ) -> Iterator[Verdict]:
        counter = _start_counter(manifest)
        take = _ignore if counter is None else counter.add
        try:
            forms = read_forms(path, self.identities, take, most_bytes=part.content.bytes)
        except Invalid as fault:
            yield Verdict("wrong", str(path), fault.reason)
            return
        faults = list(_list_faults(forms, part, None if counter is None else counter.rows))
        for text in faults:
            yield Verdict("wrong", str(path), text)
        if not faults:
            yield Verdict("ok", str(path), _praise(forms, part))


def _get_reason(fault: WrongManifest | Invalid) -> str:
    return fault.reason if isinstance(fault, Invalid) else str(fault)


def _ignore(_data: bytes) -> None:
    """Count nothing."""


def _start_counter(manifest: LocalManifest) -> RowCounter | None:
    counter = ROW_COUNTERS.get(manifest.document.memferry.format)
    return None if counter is None else counter()


def _take_file(part: ManifestPart, manifest: Path, left: list[Path], *, alone: bool) -> Path | None:
    """The file of a part: one of those left, by its name; or one that lies beside the manifest.

    A file may have been decrypted, or packed on this machine. A single file may have any name.
    """
    plain = part.path
    for packing in reversed(_PACKINGS):
        plain = plain.removesuffix(f".{packing}")
    # Beside a file that was given a name of its own the manifest has that name too.
    own = manifest.name.removesuffix(f".{EXTENSION}")
    own = own if part.path == join_part(part.path) else name_part(own, part.number)
    names = [part.path, plain, *(f"{plain}.{packing}" for packing in _PACKINGS), own]
    for path in left:
        if path.name in names or (alone and len(left) == 1):
            left.remove(path)
            return path
    return next((path for name in names if (path := manifest.with_name(name)).exists()), None)


def _list_faults(forms: Forms, part: ManifestPart, rows: int | None) -> Iterator[str]:
    """What is wrong with a file, in which form."""
    packing = _find_packing(part)
    faults = [] if forms.sealed else list(_compare_content(forms, part, rows))
    if not _is_same(forms.file, part.file):
        # What was unpacked, or is packed in another way, has its content alone to be compared.
        if faults or forms.sealed or forms.packing == packing:
            yield _describe("file", forms.file, part.file)
        if not packing and not forms.packing:
            return
    yield from faults


def _find_packing(part: ManifestPart) -> str:
    """The extension of what a file was packed with on the outside; "": nothing."""
    _, _, ending = part.path.rpartition(".")
    return ending if ending in _PACKINGS else ""


def _compare_content(forms: Forms, part: ManifestPart, rows: int | None) -> Iterator[str]:
    if forms.fault is not None:
        yield f"content: {forms.fault}"
    elif not _is_same(forms.content, part.content):
        yield _describe("content", forms.content, part.content)
    elif rows is not None and rows != part.rows:
        yield f"content: {rows:,} rows, and the manifest says {part.rows:,}"


def _is_same(digest: Digest, form: Form) -> bool:
    return (digest.size_bytes, digest.sha256.hex()) == (form.bytes, form.sha256)


def _describe(name: str, digest: Digest, form: Form) -> str:
    if digest.size_bytes != form.bytes:
        return f"{name}: {digest.size_bytes:,} bytes, and the manifest says {form.bytes:,}"
    return f"{name}: its SHA-256 is {digest.sha256.hex()}, and the manifest says {form.sha256}"


def _praise(forms: Forms, part: ManifestPart) -> str:
    text = f"{part.rows:,} memories, {forms.file.size_bytes:,} bytes, SHA-256 as in the manifest"
    if forms.sealed:
        return f"{text}; encrypted, its content was not looked at: --identity"
    if not _is_same(forms.file, part.file):
        return f"{text} for its content, which is packed in another way"
    return text
