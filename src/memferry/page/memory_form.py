"""The form of one memory: its fields as a browser sends them, and the change that they mean.

A form loses the difference between line ends (HTML, section 4.10.22.4), and the API merges
metadata. So a field that says the same as before is no change at all.
"""

from dataclasses import dataclass

import msgspec
from msgspec import UNSET, Raw

from memferry.errors import Invalid
from memferry.model import rules
from memferry.model.json_text import cut_members
from memferry.page.forms import SentForm
from memferry.page.json_field import read_json
from memferry.page.moments import read_moment, write_moment
from memferry.page.rows import ShownMemory
from memferry.wire.memories import MemoryChange, NewMemory

# One may have the whole content and metadata, percent-encoded.
FORM_BYTES = 16 * 1024 * 1024
FORM_COPIES = 8
"""A row as text, decoded, and in a screen where each character may take five."""
_SOURCE = "page"


@dataclass(frozen=True, kw_only=True)
class MemoryForm:
    """The fields of a memory as they stand in the form."""

    content: str = ""
    namespace: str = ""
    tags: str = ""
    metadata: str = ""
    expires_at: str = ""
    updated_at: str = ""
    """Of the memory that was shown: another change in between must not be overwritten unseen."""

    @classmethod
    def show(cls, row: ShownMemory) -> "MemoryForm":
        """The form of a memory."""
        return cls(
            content=row.content,
            namespace=row.namespace,
            tags=_write_tags(row.tags),
            metadata=row.metadata_text,
            expires_at=write_moment(row.expires_at),
            updated_at=str(row.updated_at),
        )

    @classmethod
    def read(cls, form: SentForm) -> "MemoryForm":
        """The form as a browser has sent it."""
        return cls(
            content=form.get("content"),
            namespace=form.get("namespace"),
            tags=form.get("tags"),
            metadata=form.get("metadata"),
            expires_at=form.get("expires_at").strip(),
            updated_at=form.get("updated_at"),
        )

    def write(self) -> NewMemory:
        """The new memory that the form says; raises Invalid and TooLarge with the field."""
        text = self.metadata.strip()
        return NewMemory(
            content=_join_lines(self.content),
            namespace=self.namespace,
            tags=_read_tags(self.tags),
            source=_SOURCE,
            metadata=Raw(_compact(text).encode()) if text else UNSET,
            expires_at=read_moment("expires_at", self.expires_at),
        )

    def compare(self, row: ShownMemory) -> MemoryChange | None:
        """The change that makes the memory what the form says; None if it says the same.

        Raises Invalid and TooLarge with the field.
        """
        shown = MemoryForm.show(row)
        change = MemoryChange(
            content=UNSET
            if _join_lines(self.content) == _join_lines(row.content)
            else _keep_line_ends(self.content, row.content),
            namespace=UNSET if self.namespace == row.namespace else self.namespace,
            tags=UNSET
            if _join_lines(self.tags) == _join_lines(shown.tags)
            else _read_tags(self.tags),
            metadata=_compare_metadata(self.metadata, row),
            expires_at=UNSET
            if self.expires_at == shown.expires_at
            else read_moment("expires_at", self.expires_at),
        )
        return None if change == MemoryChange() else change


def _join_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _keep_line_ends(text: str, before: str) -> str:
    """The text with the line ends that it had before: CR LF only if all of them were."""
    joined = _join_lines(text)
    has_crlf = "\r\n" in before and "\n" not in before.replace("\r\n", "")
    return joined.replace("\n", "\r\n") if has_crlf else joined


def _write_tags(tags: list[str]) -> str:
    """One tag per line; a JSON array if lines could not say them."""
    if any(tag != tag.strip() or not tag or "\n" in tag or "\r" in tag for tag in tags) or (
        tags and tags[0].startswith("[")
    ):
        return msgspec.json.encode(tags).decode()
    return "\n".join(tags)


def _read_tags(text: str) -> list[str]:
    if not text.startswith("["):
        return [tag.strip() for tag in _join_lines(text).split("\n") if tag.strip()]
    try:
        return msgspec.json.decode(text, type=list[str])
    except msgspec.MsgspecError as fault:
        raise Invalid("tags", "expected one tag per line, or a JSON array of texts") from fault


def _compare_metadata(text: str, row: ShownMemory) -> Raw | msgspec.UnsetType:
    """The members that differ; null for those that are gone."""
    text = text.strip() or "{}"
    if text == (row.metadata_text or "{}"):
        return UNSET
    old = _cut(row.metadata_text or "{}")
    new = _cut(_compact(text))
    gone = [(key, b"null") for name, (key, _) in old.items() if name not in new]
    changed = [
        member for name, member in new.items() if name not in old or old[name][1] != member[1]
    ]
    if not gone and not changed and row.metadata_text:
        return UNSET
    return Raw(b"{%b}" % b",".join(b"%b:%b" % member for member in [*gone, *changed]))


def _compact(text: str) -> str:
    value = read_json("metadata", text)
    compact = rules.check_json_object("metadata", value, most_bytes=rules.METADATA_BYTES)
    if compact is None:
        raise Invalid("metadata", "expected object, got null")
    return compact


def _cut(text: str) -> dict[str, tuple[bytes, bytes]]:
    """The members of a compact object by name: key and value as they are written."""
    return {name: (key, value) for name, key, value in cut_members(text.encode())}
