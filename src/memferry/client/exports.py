"""Exports of one service: create one, look it up, wait until it is completed."""

import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from msgspec import Raw

from memferry.client.calls import Call
from memferry.client.client import Client
from memferry.client.progress import Progress, Report, ignore_progress
from memferry.errors import ExportNotCompleted
from memferry.files.manifest import open_manifest
from memferry.wire.exports import ExportAnswer, ExportEstimate

_PATH = "/api/memories/exports"
_POLL_SECONDS = 0.25


class Exports:
    """The exports of the client's tenant; `report` is told the progress of what takes long."""

    def __init__(self, client: Client, report: Report = ignore_progress) -> None:
        self.client = client
        self.report = report

    def create(self, request: Mapping[str, Any]) -> ExportAnswer:
        """Create an export; `request` holds fields of `NewExport` in memferry.wire.exports.

        A fresh Idempotency-Key makes it safe to repeat a request whose answer was lost.
        """
        call = Call("POST", _PATH, request, idempotency_key=secrets.token_urlsafe())
        return self.client.call(call, ExportAnswer)

    def estimate(self, request: Mapping[str, Any]) -> ExportEstimate:
        """Say what an export would be like, without creating it; `request` as in `create`."""
        return self.client.call(Call("POST", f"{_PATH}/estimate", request), ExportEstimate)

    def get(self, export_id: str) -> ExportAnswer:
        """Look up an export, with its payload or a fresh download link once it is completed."""
        return self.client.call(Call("GET", f"{_PATH}/{quote(export_id, safe='')}"), ExportAnswer)

    def get_manifest(self, export_id: str) -> bytes:
        """The signed manifest of a completed export, byte for byte; raises WrongManifest."""
        path = f"{_PATH}/{quote(export_id, safe='')}/manifest"
        text = bytes(self.client.call(Call("GET", path), Raw))
        open_manifest(text)
        return text

    def wait(self, export: ExportAnswer) -> ExportAnswer:
        """Wait until an export is completed; raises ExportNotCompleted if it ends otherwise."""
        while export.status in {"pending", "running"}:
            self.report(Progress("exporting", export.rows_done, export.row_count))
            time.sleep(_POLL_SECONDS)
            export = self.get(export.id)
        if export.status != "completed":
            raise ExportNotCompleted(_describe_end(export))
        self.report(Progress("exporting", export.row_count, export.row_count))
        return export


def _describe_end(export: ExportAnswer) -> str:
    text = f"export {export.id} {export.status}"
    if export.error is not None:
        text += f": {export.error}"
    return text + ("; asking again may help" if export.retryable else "")
