"""The files of an export in their places: one or several parts, and the manifest beside them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from memferry.client.decrypt import Identities, read_identities
from memferry.client.download import Download
from memferry.client.export_calls import get_manifest
from memferry.client.fetch import fetch_to_file, find_resumable
from memferry.client.local_files import replace_when_whole
from memferry.client.manifests import name_manifest
from memferry.client.steps import Flow, WorkStep
from memferry.client.verify import Verification
from memferry.errors import Invalid, WrongManifest
from memferry.files.compress import CODECS
from memferry.files.kind import file_name, name_part
from memferry.formats import FORMATS
from memferry.wire.exports import ExportAnswer

Keys: TypeAlias = Identities | Path | str | None
"""The keys that decrypt an export, or the file that holds them."""


def read_keys(keys: Keys, export: ExportAnswer) -> Identities | None:
    """Read the keys; raises Invalid, which names `identity`, also if they have no use."""
    if keys is None:
        return None
    if not export.encrypted:
        raise Invalid("identity", f"export {export.id} is not encrypted")
    return read_identities(Path(keys)) if isinstance(keys, Path | str) else keys


def save_export(
    downloads: Sequence[Download],
    target: Path,
    identities: Identities | None,
    *,
    with_manifest: bool,
) -> Flow[None]:
    """Save all files of an export, each whole and verified; raises as `fetch_to_file`.

    With its manifest it raises WrongManifest if that says anything else than the files.
    """
    paths = yield from save_parts(downloads, target, identities)
    if with_manifest:
        manifest = yield from _save_manifest(downloads[0].export.id, target)
        yield WorkStep(partial(_compare, paths, manifest, identities))


def choose_target(path: Path, download: Download, *, decrypted: bool) -> Path:
    """Choose the file of an export: the path, or in a folder the name that the file has."""
    if not path.is_dir():
        return path
    export, codec = download.export, CODECS.get(download.compression or "")
    sealed = export.encrypted and not decrypted
    return path / file_name(export.id, FORMATS[export.format], codec, encrypted=sealed)


def can_be_resumed(downloads: Sequence[Download], target: Path) -> bool:
    """Whether a part of a download is here already."""
    paths = [name_target(target, download) for download in downloads]
    return any(find_resumable(path, downloads[0].export.id) for path in paths)


def save_parts(
    downloads: Sequence[Download], target: Path, identities: Identities | None = None
) -> Flow[list[Path]]:
    """Save each file; one of several gets its number into its name, and stays if it is here."""
    paths = []
    for download in downloads:
        path = name_target(target, download)
        saved = download.part is not None and (yield WorkStep(partial(download.is_saved, path)))
        if not saved:
            yield from fetch_to_file(download, path, identities)
        paths.append(path)
    return paths


def name_target(target: Path, download: Download) -> Path:
    """Where a file goes: a part beside the others, with its number in its name."""
    if download.part is None:
        return target
    return target.with_name(name_part(target.name, download.part))


def _save_manifest(export_id: str, output: Path) -> Flow[Path]:
    """Save the signed manifest of an export beside its file, where `verify` looks for it."""
    text = yield from get_manifest(export_id)
    target = name_manifest(output, export_id)
    with replace_when_whole(target, target.with_name(f".{target.name}.partial"), "wb") as file:
        file.write(text)
    return target


def _compare(paths: Sequence[Path], manifest: Path, identities: Identities | None) -> None:
    """Raise WrongManifest with what is wrong with files or manifest."""
    verdicts = Verification(paths, manifest, identities=identities).run()
    for verdict in verdicts:
        if verdict.kind == "wrong":
            raise WrongManifest(f"{verdict.file}: {verdict.text}")
