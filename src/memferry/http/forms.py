"""A multipart form (RFC 7578): its files as one archive, made while they come."""

from collections.abc import AsyncIterable, AsyncIterator, Collection
from typing import IO, TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from memferry.errors import Invalid, TooLarge
from memferry.files.archive import StreamedArchive

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MULTIPART = "multipart/form-data"
_MOST_FILES = 10_000
_NAME_CHARACTERS = 300
_FIELD_BYTES = 64 * 1024


class FormArchive:
    """An archive of the files of a form, in pieces; `files` counts them."""

    def __init__(
        self, content_type: str, chunks: AsyncIterable[bytes], fields: Collection[str] = ()
    ) -> None:
        """`fields` names what may stand before the files; it is read by `read_fields`.

        Raises Invalid for a content type without a boundary.
        """
        _, options = parse_options_header(content_type)
        self._chunks = aiter(chunks)
        self._known = fields
        self._fields: list[tuple[str, bytearray]] = []
        self._in_field = False
        self._archive = StreamedArchive()
        self._header = (b"", b"")
        self._disposition = b""
        self._member: IO[bytes] | None = None
        self._names: set[str] = set()
        self._ended = False
        try:
            self._parser = MultipartParser(options[b"boundary"], self._list_callbacks())
        except (KeyError, FormParserError) as fault:
            raise Invalid("Content-Type", "a multipart form needs a boundary") from fault

    async def read_fields(self) -> list[tuple[str, str]]:
        """Read the fields, up to the first file; raises Invalid for an unknown or large one."""
        while self.files == 0 and not self._ended:
            if not (chunk := await anext(self._chunks, b"")):
                break
            self._parse(chunk)
        try:
            return [(name, bytes(value).decode()) for name, value in self._fields]
        except UnicodeDecodeError as fault:
            raise Invalid("form", "is not valid UTF-8") from fault

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the archive; raises Invalid for what is no form, or holds something else."""
        if data := self._archive.take():
            yield data
        async for chunk in self._chunks:
            self._parse(chunk)
            if data := self._archive.take():
                yield data
        if not self._ended:
            raise Invalid("body", "the form ends before its last boundary")
        if self.files == 0:
            raise Invalid("body", "the form holds no file")
        yield self._archive.close()

    def _parse(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as fault:
            raise Invalid("body", "is not a multipart form") from fault

    @property
    def files(self) -> int:
        """How many files have come."""
        return len(self._names)

    def _list_callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": self._add_to_name,
            "on_header_value": self._add_to_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_file,
            "on_part_data": self._write,
            "on_part_end": self._end_file,
            "on_end": self._end,
        }

    def _begin_part(self) -> None:
        self._header, self._disposition = (b"", b""), b""

    def _add_to_name(self, data: bytes, start: int, end: int) -> None:
        name, value = self._header
        self._header = (name + data[start:end], value)

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        name, value = self._header
        self._header = (name, value + data[start:end])

    def _end_header(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = value
        self._header = (b"", b"")

    def _begin_file(self) -> None:
        """Open the file of a part, or a field; raises Invalid for a field that is not known."""
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options and name in self._known and self.files == 0:
            self._fields.append((name, bytearray()))
            self._in_field = True
            return
        if b"filename" not in options:
            raise Invalid("body", "the form may hold files alone; options go into the query string")
        if self.files == _MOST_FILES:
            raise Invalid("body", f"the form holds more than {_MOST_FILES} files")
        if self._known and not options[b"filename"]:
            raise Invalid("file", "is missing; choose one first")  # as browsers send none
        name = self._choose_name(options[b"filename"].decode("utf-8", "replace"))
        self._names.add(name)
        self._member = self._archive.open_member(name)

    def _choose_name(self, name: str) -> str:
        """A name that no other file of the archive has; it is a label, and no path to write to."""
        name = name.replace("\x00", "")[:_NAME_CHARACTERS] or "file"
        return f"{self.files + 1}/{name}" if name in self._names else name

    def _write(self, data: bytes, start: int, end: int) -> None:
        if self._in_field:
            self._fields[-1][1].extend(data[start:end])
            if sum(len(value) for _, value in self._fields) > _FIELD_BYTES:
                raise TooLarge("form", _FIELD_BYTES)
        elif self._member is not None:
            self._member.write(data[start:end])

    def _end_file(self) -> None:
        self._in_field = False
        if self._member is not None:
            self._member.close()
            self._member = None

    def _end(self) -> None:
        self._ended = True
