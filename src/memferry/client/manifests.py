"""Manifests on this machine: found beside their files, opened, and put in order."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec

from memferry.errors import Invalid, WrongManifest
from memferry.files.kind import join_part
from memferry.files.manifest import (
    EXTENSION,
    MOST_BYTES,
    OpenedManifest,
    manifest_name,
    open_manifest,
)
from memferry.wire.manifest import ChainLink, Manifest

_EXPORT_ID = re.compile(r"memferry-([0-9A-HJKMNP-TV-Z]{26})\.")


@dataclass(frozen=True)
class LocalManifest:
    """A manifest in a file, whose signature is good for the key it names."""

    path: Path
    opened: OpenedManifest
    document: Manifest

    @property
    def link(self) -> ChainLink:
        """Its place in the chain."""
        return self.document.memferry.chain


def is_manifest(path: Path) -> bool:
    """Whether a file is a manifest, by its name."""
    return path.name.endswith(f".{EXTENSION}")


def name_manifest(output: Path | None, export_id: str) -> Path:
    """Where the manifest of a saved export lies: beside it, where `find_manifest` looks."""
    if output is None:
        return Path(manifest_name(export_id))
    return output.with_name(f"{output.name}.{EXTENSION}")


def find_manifest(file: Path) -> Path | None:
    """The manifest beside a file of an export; None if there is none by a known name."""
    names = [f"{file.name}.{EXTENSION}", f"{join_part(file.name)}.{EXTENSION}"]
    if (match := _EXPORT_ID.match(file.name)) is not None:
        names.append(manifest_name(match[1]))
    return next((path for name in names if (path := file.with_name(name)).exists()), None)


def load_manifest(path: Path) -> LocalManifest:
    """Open a manifest; raises WrongManifest, and Invalid, which names `manifest`."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
    except OSError as fault:
        raise Invalid("manifest", f"cannot read {path}: {fault.strerror}") from fault
    if len(text) > MOST_BYTES:
        raise WrongManifest("it is larger than any manifest")
    opened = open_manifest(text)
    try:
        document = msgspec.json.decode(opened.text, type=Manifest)
    except msgspec.ValidationError as fault:
        raise WrongManifest(f"it is no manifest of memferry ({fault})") from fault
    return LocalManifest(path, opened, document)


def find_broken_links(manifests: Sequence[LocalManifest]) -> Iterator[str]:
    """What is wrong with the order of manifests, each chain by itself."""
    for chain in _group_chains(manifests):
        first, link = chain[0], chain[0].link
        if (link.sequence == 1) != (link.previous is None):
            yield f"{first.path} is number {link.sequence} and names {link.previous} as previous"
        for before, after in pairwise(chain):
            if (fault := _compare(before, after)) is not None:
                yield fault


def find_gaps(manifests: Sequence[LocalManifest]) -> Iterator[str]:
    """Which numbers of a chain are missing between those that are here."""
    for chain in _group_chains(manifests):
        for before, after in pairwise(chain):
            first, last = before.link.sequence + 1, after.link.sequence - 1
            if first <= last:
                numbers = f"number {first}" if first == last else f"numbers {first} to {last}"
                yield f"{numbers} of the chain, between {before.path} and {after.path}"


def _group_chains(manifests: Sequence[LocalManifest]) -> list[list[LocalManifest]]:
    """The manifests of each chain by their numbers; copies of one manifest count once."""
    chains: dict[tuple[str, str], dict[str, LocalManifest]] = {}
    for manifest in manifests:
        key = manifest.opened.key.id, manifest.link.id
        chains.setdefault(key, {}).setdefault(manifest.opened.sha256, manifest)
    return [
        sorted(chain.values(), key=lambda manifest: manifest.link.sequence)
        for chain in chains.values()
    ]


def _compare(before: LocalManifest, after: LocalManifest) -> str | None:
    """What is wrong with one manifest after another; None if nothing is, or a gap is between."""
    distance = after.link.sequence - before.link.sequence
    if distance == 0:
        return f"{before.path} and {after.path} are both number {before.link.sequence} of one chain"
    if distance == 1 and after.link.previous != before.opened.sha256:
        return f"{after.path} names another manifest as previous than {before.path}"
    return None
