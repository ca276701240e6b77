"""Fetching an export from the service into a file or to standard output, with progress."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from memferry.cli.connect import open_client
from memferry.cli.console import make_console, open_standard_output
from memferry.cli.progress import ProgressBars
from memferry.client.client import Client
from memferry.client.decrypt import Identities, read_identities
from memferry.client.download import list_downloads
from memferry.client.export_files import can_be_resumed
from memferry.client.export_handle import ExportHandle
from memferry.client.manifests import name_manifest
from memferry.errors import Invalid, MemferryError
from memferry.wire.exports import ExportAnswer

_STANDARD_OUTPUT = Path("-")
_console = make_console(stderr=True)


def fetch(
    request: Mapping[str, Any] | str,
    output: Path | None,
    identity: Path | None,
    server: str | None = None,
    *,
    with_manifest: bool = False,
) -> None:
    """Fetch an export; what is encrypted comes decrypted by a key.

    Raises Invalid, and the errors of the service and of the client.
    """
    if with_manifest and output == _STANDARD_OUTPUT:
        raise Invalid("--manifest", "lies beside a file, and standard output is none")
    with _name_options():
        keys = None if identity is None else read_identities(identity)
        with open_client(server) as client:
            fetch_export(client, request, output, keys, with_manifest=with_manifest)


def show_estimate(request: Mapping[str, Any], server: str | None) -> None:
    """Print what an export would be like; raises as `fetch`."""
    with open_client(server) as client:
        estimate = client.exports.estimate(**request)
    print(
        f"{estimate.rows:,} memories, {'' if estimate.bytes_exact else 'about '}"
        f"{estimate.bytes:,} bytes, {'inline' if estimate.inline else 'queued'}"
    )


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
        if isinstance(request, str):
            export = exports.get(request)
            export.wait(bars.show)
        else:
            export = _create(exports.create(**request), bars)
        if output == _STANDARD_OUTPUT:
            with open_standard_output() as stream:
                export.write(stream, identities=keys, progress=bars.show)
            target = output
        else:
            target = _download(export, output, keys, bars, with_manifest=with_manifest)
    _print_end(export.answer, target)
    if with_manifest:
        _console.print(f"manifest -> {name_manifest(target, export.id)}", soft_wrap=True)
    return export.answer


def _create(export: ExportHandle, bars: ProgressBars) -> ExportHandle:
    """Wait for an export that this command has created, and cancel it with the command."""
    try:
        return export.wait(bars.show)
    except KeyboardInterrupt:
        export.delete()
        _console.print(f"cancelled export {export.id}", soft_wrap=True)
        raise


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
