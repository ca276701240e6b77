"""Fetching an export from the service into a file or to standard output, with progress."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from memferry.cli.console import make_console
from memferry.cli.options import read_settings
from memferry.cli.progress import ProgressBars
from memferry.client.client import Client
from memferry.client.decrypt import Identities, read_identities
from memferry.client.download import Download, list_downloads
from memferry.client.exports import Exports
from memferry.client.fetch import fetch_to_file, fetch_to_stream, find_resumable
from memferry.client.local_files import replace_when_whole
from memferry.client.manifests import name_manifest
from memferry.errors import ClientError, Invalid, Misconfigured
from memferry.files.compress import CODECS
from memferry.files.kind import file_name, join_part, name_part
from memferry.formats import FORMATS
from memferry.wire.exports import ExportAnswer

_STANDARD_OUTPUT = Path("-")
_console = make_console(stderr=True)


def fetch(
    request: Mapping[str, Any] | str,
    output: Path | None,
    identity: Path | None,
    *,
    with_manifest: bool = False,
) -> None:
    """Fetch an export as the environment's tenant; what is encrypted comes decrypted by a key.

    Raises ClientError, Invalid, or Misconfigured where the environment holds no token.
    """
    if with_manifest and output == _STANDARD_OUTPUT:
        raise Invalid("--manifest", "lies beside a file, and standard output is none")
    with _name_options():
        identities = None if identity is None else read_identities(identity)
        with _open_client() as client:
            export = fetch_export(client, request, output, identities)
            if with_manifest:
                _save_manifest(client, export, output)


def show_estimate(request: Mapping[str, Any]) -> None:
    """Print what an export would be like; raises as `fetch`."""
    with _open_client() as client:
        estimate = Exports(client).estimate(request)
    print(
        f"{estimate.rows:,} memories, {'' if estimate.bytes_exact else 'about '}"
        f"{estimate.bytes:,} bytes, {'inline' if estimate.inline else 'queued'}"
    )


def _open_client() -> Client:
    settings = read_settings().client
    if settings.token is None:
        raise Misconfigured("MEMFERRY_TOKEN is not set; make one with: memferry token create")
    return Client(settings.url, settings.token)


@contextmanager
def _name_options() -> Iterator[None]:
    """Let errors name the option instead of the argument of the client's function."""
    try:
        yield
    except Invalid as fault:
        raise Invalid(f"--{fault.field}", fault.reason) from fault


def fetch_export(
    client: Client,
    request: Mapping[str, Any] | str,
    output: Path | None,
    identities: Identities | None = None,
) -> ExportAnswer:
    """Create an export, or take one by its id, and bring its bytes to `output`; answers it.

    With identities an encrypted export comes decrypted. Raises ClientError when the export fails
    or its bytes do not have the promised digest.
    """
    with ProgressBars() as bars:
        exports = Exports(client, bars.show)
        export = exports.wait(
            exports.get(request) if isinstance(request, str) else exports.create(request)
        )
        if identities is not None and not export.encrypted:
            raise Invalid("identity", f"export {export.id} is not encrypted")
        # An export in the answer is never compressed by the service.
        compression = export.compression if isinstance(request, str) else request.get("compression")
        downloads = list_downloads(exports, export, compression)
        target = output or Path(_name_file(downloads[0], encrypted=identities is None))
        if export.parts is not None and target == _STANDARD_OUTPUT:
            raise Invalid("output", "parts are files of their own; name a file, for its name")
        for download in downloads:
            path = _name_target(target, download)
            # Of an export in parts that broke off, what is here already stays.
            if download.part is None or not download.is_saved(path):
                _fetch_to(path, download, identities)
    _print_end(export, target)
    return export


def _name_target(target: Path, download: Download) -> Path:
    """Where a file goes: a part beside the others, with its number in its name."""
    if download.part is None:
        return target
    return target.with_name(name_part(target.name, download.part))


def _save_manifest(client: Client, export: ExportAnswer, output: Path | None) -> None:
    text = Exports(client).get_manifest(export.id)
    target = name_manifest(output, export.id)
    partial = target.with_name(f".{target.name}.partial")
    with replace_when_whole(target, partial, "wb") as file:
        file.write(text)
    _console.print(f"manifest -> {target}", soft_wrap=True)


def _name_file(download: Download, *, encrypted: bool) -> str:
    export, codec = download.export, CODECS.get(download.compression or "")
    sealed = export.encrypted and encrypted
    return file_name(export.id, FORMATS[export.format], codec, encrypted=sealed)


def _fetch_to(target: Path, download: Download, identities: Identities | None) -> None:
    if target == _STANDARD_OUTPUT:
        fetch_to_stream(download, sys.stdout.buffer, identities)
        return
    try:
        fetch_to_file(download, target, identities)
    except (ClientError, KeyboardInterrupt):
        export_id = download.export.id
        if (path := find_resumable(target, export_id)) is not None:
            whole = path.with_name(join_part(path.name))
            _console.print(
                f"go on with: memferry export --id {export_id} -o {whole}", soft_wrap=True
            )
        raise


def _print_end(export: ExportAnswer, target: Path) -> None:
    where = "standard output" if target == _STANDARD_OUTPUT else str(target)
    if export.parts is not None:
        where += f" ({len(export.parts):,} parts)"
    _console.print(
        f"{export.row_count:,} memories, {export.bytes_done:,} bytes, sha256 {export.sha256} "
        f"-> {where}",
        soft_wrap=True,
    )
