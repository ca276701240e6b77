"""One export: wait for it, and take its memories as a file, as rows, or as a table."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, cast

import msgspec

from memferry.client.download import list_downloads
from memferry.client.export_calls import (
    delete_export,
    get_export,
    get_manifest,
    wait_for_export,
)
from memferry.client.export_files import Keys, choose_target, read_keys, save_export, save_parts
from memferry.client.fetch import fetch_to_stream
from memferry.client.methods import Asynchronous, FlowMethod, ListingMethod, Synchronous
from memferry.client.progress import Report, ignore_progress
from memferry.client.records import check_readable, iterate_records
from memferry.client.steps import Flow, Listing, WorkStep
from memferry.client.tables import (
    check_tabular,
    convert_to_duckdb,
    convert_to_pandas,
    convert_to_polars,
    read_table,
)
from memferry.errors import Invalid
from memferry.wire.exports import ExportAnswer
from memferry.wire.manifest import Manifest
from memferry.wire.memories import MemoryRow

_Handle = TypeVar("_Handle")


class ExportHandleMethods(Generic[_Handle]):
    """One export; `answer` is what the service said of it last."""

    def __init__(self, connection: Any, answer: ExportAnswer, compression: str | None) -> None:
        self.connection = connection
        self.answer = answer
        self._compression = compression

    @property
    def id(self) -> str:
        """Its id, by which `client.exports.get` finds it."""
        return self.answer.id

    @FlowMethod
    def refresh(self) -> Flow[_Handle]:
        """Ask the service anew; a completed export gets a fresh download link.

        >>> client.exports.create().refresh().answer.status
        'completed'
        """
        self.answer = yield from get_export(self.id)
        return cast(_Handle, self)

    @FlowMethod
    def wait(
        self, progress: Report = ignore_progress, *, timeout: float | None = None
    ) -> Flow[_Handle]:
        """Wait until it is completed; `progress` is called with what is done. Seconds: `timeout`.

        Raises ExportNotCompleted if it ends otherwise, or not in time.

        >>> export = client.exports.create(format="ndjson").wait(progress=print)
        Progress(step='exporting', done=2, total=2)
        """
        self.answer = yield from wait_for_export(self.answer, progress, timeout)
        return cast(_Handle, self)

    @FlowMethod
    def download(
        self,
        path: Path | str,
        *,
        identities: Keys = None,
        manifest: bool = False,
        progress: Report = ignore_progress,
    ) -> Flow[Path]:
        """Wait, and save the file, which appears only when its SHA-256 is the promised one.

        In a folder it gets a name of its own. A download that breaks off is resumed, by the next
        call too. `identities`: the keys that decrypt it. `manifest`: save the signed manifest, too,
        and compare them. Of an export in parts each becomes a file with its number in its name.
        Raises ClientError, or Invalid, which names `output`.

        >>> path = client.exports.create(format="csv").download(folder / "all.csv")
        >>> path.read_text().splitlines()[0]
        'id,content,namespace,tags,source,source_ref,created_at,updated_at'
        """
        self.answer = yield from wait_for_export(self.answer, progress)
        keys = read_keys(identities, self.answer)
        downloads = list_downloads(self.answer, self._compression, progress)
        target = choose_target(Path(path), downloads[0], decrypted=keys is not None)
        yield from save_export(downloads, target, keys, with_manifest=manifest)
        return target

    @FlowMethod
    def write(
        self, stream: BinaryIO, *, identities: Keys = None, progress: Report = ignore_progress
    ) -> Flow[None]:
        """Wait, and write the file to a stream; raises WrongDigest after wrong bytes.

        An export in parts has no single file: Invalid, which names `output`.

        >>> import io
        >>> stream = io.BytesIO()
        >>> client.exports.create(format="ndjson").write(stream)
        >>> len(stream.getvalue().splitlines())
        2
        """
        self.answer = yield from wait_for_export(self.answer, progress)
        keys = read_keys(identities, self.answer)
        if self.answer.parts is not None:
            raise Invalid("output", "parts are files of their own; name a file, for its name")
        (download,) = list_downloads(self.answer, self._compression, progress)
        yield from fetch_to_stream(download, stream, keys)

    @FlowMethod
    def get_manifest(self) -> Flow[Manifest]:
        """The signed manifest of the completed export; raises WrongManifest.

        >>> manifest = client.exports.create(format="ndjson").get_manifest()
        >>> manifest.memferry.parts[0].rows
        2
        """
        return msgspec.json.decode((yield from get_manifest(self.id)), type=Manifest)

    @ListingMethod
    def rows(self, progress: Report = ignore_progress) -> Listing[MemoryRow]:
        """Hand out its memories as they come, one after the other; the export is `ndjson`.

        Raises WrongDigest after the last if they are not the exported ones.

        >>> sorted(row.content for row in client.exports.create(format="ndjson").rows())
        ['Has a dog.', 'Likes tea.']
        """
        for option in ("fields", "include"):
            if getattr(self.answer, option):
                raise Invalid(option, "rows() are memories as they are; take records()")
        return self._iterate(MemoryRow, progress)

    @ListingMethod
    def records(self, progress: Report = ignore_progress) -> Listing[dict[str, Any]]:
        """Hand out what `rows` does as dictionaries, of those fields that were exported.

        >>> export = client.exports.create(format="ndjson", fields=["content"])
        >>> list(export.records())
        [{'content': 'Likes tea.'}, {'content': 'Has a dog.'}]
        """
        return self._iterate(dict[str, Any], progress)

    @FlowMethod
    def to_arrow(self, progress: Report = ignore_progress) -> Flow[Any]:
        """Its memories as a pyarrow.Table; the export is `parquet` or `ndjson`.

        Metadata is a column of JSON text, times are timestamps in UTC. Raises NotInstalled.

        >>> client.exports.create(format="ndjson").to_arrow().num_rows
        2
        """
        return self._make_table(lambda table: table, progress)

    @FlowMethod
    def to_pandas(self, progress: Report = ignore_progress) -> Flow[Any]:
        """Its memories as a pandas.DataFrame, as `to_arrow`.

        >>> list(client.exports.create(format="ndjson").to_pandas()["content"])
        ['Likes tea.', 'Has a dog.']
        """
        return self._make_table(convert_to_pandas, progress, "pandas")

    @FlowMethod
    def to_polars(self, progress: Report = ignore_progress) -> Flow[Any]:
        """Its memories as a polars.DataFrame, as `to_arrow`.

        >>> client.exports.create(format="ndjson").to_polars()["content"].to_list()
        ['Likes tea.', 'Has a dog.']
        """
        return self._make_table(convert_to_polars, progress, "polars")

    @FlowMethod
    def to_duckdb(self, connection: Any = None, progress: Report = ignore_progress) -> Flow[Any]:
        """Its memories as a relation of DuckDB, on `connection` or one of its own, as `to_arrow`.

        >>> memories = client.exports.create(format="ndjson").to_duckdb()
        >>> memories.count("*").fetchall()
        [(2,)]
        """
        convert = partial(convert_to_duckdb, connection=connection)
        return self._make_table(convert, progress, "duckdb")

    @FlowMethod
    def delete(self) -> Flow[None]:
        """Cancel it if it is not finished; else remove it with all its bytes.

        >>> client.exports.create().delete()
        """
        return delete_export(self.id)

    def _iterate(self, record_type: type[Any], report: Report) -> Listing[Any]:
        check_readable(self.answer)
        self.answer = yield from wait_for_export(self.answer, report)
        for download in list_downloads(self.answer, None, report):
            yield from iterate_records(download, record_type)

    def _make_table(
        self, convert: Callable[[Any], Any], report: Report, *libraries: str
    ) -> Flow[Any]:
        """Read the files, whole and verified, into a table."""
        check_tabular(self.answer, "pyarrow", *libraries)
        self.answer = yield from wait_for_export(self.answer, report)
        with tempfile.TemporaryDirectory(prefix="memferry-") as folder:
            downloads = list_downloads(self.answer, None, report)
            paths = yield from save_parts(downloads, Path(folder, "export"))
            table = yield WorkStep(
                partial(read_table, self.answer.format, self.answer.fields, paths)
            )
        return (yield WorkStep(partial(convert, table)))


class ExportHandle(ExportHandleMethods["ExportHandle"], Synchronous):
    """One export of a Client."""


class AsyncExportHandle(ExportHandleMethods["AsyncExportHandle"], Asynchronous):
    """One export of an AsyncClient."""
