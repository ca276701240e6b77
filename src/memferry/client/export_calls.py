"""The calls of exports: create one, look it up, wait until it is completed, its manifest."""

import secrets
import time
from collections.abc import Mapping
from typing import Any

from msgspec import Raw

from memferry.client.calls import Call, make_path
from memferry.client.flows import send
from memferry.client.progress import Progress, Report
from memferry.client.steps import Flow, PauseStep
from memferry.errors import ExportNotCompleted
from memferry.files.manifest import open_manifest
from memferry.wire.exports import ExportAnswer, ExportEstimate

_FIRST_POLL_SECONDS, _LONGEST_POLL_SECONDS = 0.1, 1.0


def create_export(request: Mapping[str, Any]) -> Flow[ExportAnswer]:
    """Create an export; `request` holds fields of `NewExport` in memferry.wire.exports.

    A fresh Idempotency-Key makes it safe to repeat a request whose answer was lost.
    """
    key = secrets.token_urlsafe()
    path = make_path("memories", "exports")
    return send(Call("POST", path, request, idempotency_key=key), ExportAnswer)


def estimate_export(request: Mapping[str, Any]) -> Flow[ExportEstimate]:
    """Say what an export would be like, without creating it; `request` as in `create_export`."""
    path = make_path("memories", "exports", "estimate")
    return send(Call("POST", path, request, reads=True), ExportEstimate)


def get_export(export_id: str) -> Flow[ExportAnswer]:
    """Look up an export, with its payload or a fresh download link once it is completed."""
    return send(Call("GET", make_path("memories", "exports", export_id)), ExportAnswer)


def delete_export(export_id: str) -> Flow[None]:
    """Cancel an export that is not finished; remove a finished one with all its bytes."""
    return send(Call("DELETE", make_path("memories", "exports", export_id)), type(None))


def get_manifest(export_id: str) -> Flow[bytes]:
    """The signed manifest of a completed export, byte for byte; raises WrongManifest."""
    path = make_path("memories", "exports", export_id, "manifest")
    text = bytes((yield from send(Call("GET", path), Raw)))
    open_manifest(text)
    return text


def wait_for_export(
    export: ExportAnswer, report: Report, seconds: float | None = None
) -> Flow[ExportAnswer]:
    """Wait until an export is completed, and no longer than some seconds if they are given.

    Raises ExportNotCompleted if it ends otherwise, or does not end in time.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    pause = _FIRST_POLL_SECONDS
    while export.status in {"pending", "running"}:
        report(Progress("exporting", export.rows_done, export.row_count))
        if deadline is not None and time.monotonic() >= deadline:
            raise ExportNotCompleted(f"export {export.id} is still {export.status}")
        yield PauseStep(pause)
        pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)
        export = yield from get_export(export.id)
    if export.status != "completed":
        raise ExportNotCompleted(_describe_end(export))
    report(Progress("exporting", export.row_count, export.row_count))
    return export


def _describe_end(export: ExportAnswer) -> str:
    text = f"export {export.id} {export.status}"
    if export.error is not None:
        text += f": {export.error}"
    return text + ("; asking again may help" if export.retryable else "")
