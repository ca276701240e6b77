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
from memferry.client.download import list_downloads
from memferry.client.export_files import can_be_resumed
from memferry.client.export_handle import ExportHandle
from memferry.client.manifests import name_manifest
from memferry.errors import Invalid, MemferryError, Misconfigured
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
        keys = None if identity is None else read_identities(identity)
        with _open_client() as client:
            fetch_export(client, request, output, keys, with_manifest=with_manifest)


def show_estimate(request: Mapping[str, Any]) -> None:
    """Print what an export would be like; raises as `fetch`."""
    with _open_client() as client:
        estimate = client.exports.estimate(**request)
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
    keys: Identities | None = None,
    *,
    with_manifest: bool = False,
) -> ExportAnswer:
    """Create an export, or take one by its id, and bring its bytes to `output`; answers it.

    With keys an encrypted export comes decrypted. Raises ClientError when the export fails
    or its bytes do not have the promised digest.
    """
    exports = client.exports
    with ProgressBars() as bars:
        export = exports.get(request) if isinstance(request, str) else exports.create(**request)
        export.wait(bars.show)
        if output == _STANDARD_OUTPUT:
            export.write(sys.stdout.buffer, identities=keys, progress=bars.show)
            target = output
        else:
            target = _download(export, output, keys, bars, with_manifest=with_manifest)
    _print_end(export.answer, target)
    if with_manifest:
        _console.print(f"manifest -> {name_manifest(target, export.id)}", soft_wrap=True)
    return export.answer


def _download(
    export: ExportHandle,
    output: Path | None,
    keys: Identities | None,
    bars: ProgressBars,
    *,
    with_manifest: bool,
) -> Path:
    """Save the files; what stays of a download that breaks off is named."""
    try:
        return export.download(
            output or Path(), identities=keys, manifest=with_manifest, progress=bars.show
        )
    except (MemferryError, KeyboardInterrupt):
        if output is not None and can_be_resumed(list_downloads(export.answer, None), output):
            text = f"go on with: memferry export --id {export.id} -o {output}"
            _console.print(text, soft_wrap=True)
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
