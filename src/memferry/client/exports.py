"""Exports: create one, or find one that was created before."""

from abc import abstractmethod
from typing import Generic, TypeVar, Unpack

from memferry.client.calls import Call, make_path
from memferry.client.export_calls import create_export, estimate_export, get_export
from memferry.client.export_handle import AsyncExportHandle, ExportHandle
from memferry.client.flows import choose_limit, iterate_pages
from memferry.client.methods import Asynchronous, FlowMethod, ListingMethod, Synchronous
from memferry.client.options import ExportArguments, make_body, make_params
from memferry.client.steps import Flow, Listing
from memferry.wire.exports import ExportAnswer, ExportEstimate, ExportPage, ExportSummary

_Handle = TypeVar("_Handle")


class ExportMethods(Generic[_Handle]):
    """Everything below /api/memories/exports."""

    @FlowMethod
    def create(self, **options: Unpack[ExportArguments]) -> Flow[_Handle]:
        """Create an export of the memories that match all filters; without any, of all.

        An Idempotency-Key goes with it, so that it can be sent again without making a second one.

        >>> export = client.exports.create(format="ndjson", tags=["taste"])
        >>> export.wait().answer.row_count
        1
        """
        request = make_body(options)
        return self._create(request, request.get("compression"))

    @FlowMethod
    def estimate(self, **options: Unpack[ExportArguments]) -> Flow[ExportEstimate]:
        """Say how many rows and bytes an export with these options would have; none is made.

        >>> client.exports.estimate(format="ndjson").rows
        2
        """
        return estimate_export(make_body(options))

    @FlowMethod
    def get(self, export_id: str) -> Flow[_Handle]:
        """Look up an export by its id; raises ExportNotFound.

        >>> export = client.exports.create()
        >>> client.exports.get(export.id).answer.format
        'json'
        """
        return self._find(export_id)

    @ListingMethod
    def list(self, *, limit: int | None = None) -> Listing[ExportSummary]:
        """Hand out what is known of exports, newest first, without their payloads and links.

        >>> export = client.exports.create()
        >>> next(client.exports.list()).id == export.id
        True
        """
        params = make_params({"limit": choose_limit(limit)})
        call = Call("GET", make_path("memories", "exports"), params=params)
        return iterate_pages(call, ExportPage, lambda page: page.exports, limit)

    def _create(self, request: "dict[str, object]", compression: str | None) -> Flow[_Handle]:
        return self._hand_out((yield from create_export(request)), compression)

    def _find(self, export_id: str) -> Flow[_Handle]:
        answer = yield from get_export(export_id)
        return self._hand_out(answer, answer.compression)

    @abstractmethod
    def _hand_out(self, answer: ExportAnswer, compression: str | None) -> _Handle: ...


class ExportClient(ExportMethods[ExportHandle], Synchronous):
    """`client.exports`."""

    def _hand_out(self, answer: ExportAnswer, compression: str | None) -> ExportHandle:
        return ExportHandle(self.connection, answer, compression)


class AsyncExportClient(ExportMethods[AsyncExportHandle], Asynchronous):
    """`client.exports` of an AsyncClient."""

    def _hand_out(self, answer: ExportAnswer, compression: str | None) -> AsyncExportHandle:
        return AsyncExportHandle(self.connection, answer, compression)
