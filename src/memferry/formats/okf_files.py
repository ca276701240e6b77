"""The files of an OKF bundle: a memory is Markdown with front matter, the index a list of folders.

What stands behind the closing fence is the content, byte by byte; what OKF has no name for stands
below `memferry`.
"""

import re
from functools import lru_cache

import msgspec

from memferry.model.times import make_moment

OKF_VERSION = "0.2"
# What YAML does not let stand as it is (https://yaml.org/spec/1.1/, section 5.1), what it takes for
# a line break, and the byte order mark.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_TITLE = re.compile(r"[^\W_][^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,79}")
_OTHERS = re.compile(r"[^\w-]+")
_SEGMENTS, _SEGMENT_CHARACTERS = 8, 60
# No file or folder of Windows may have these names.
_DEVICES = re.compile(r"con|prn|aux|nul|(com|lpt)\w")


class Memory(msgspec.Struct, frozen=True):
    """A memory object as PostgreSQL renders it; its metadata stay text."""

    id: str
    content: str
    namespace: str
    tags: list[str]
    source: str
    source_ref: str | None
    metadata: msgspec.Raw
    created_at: int
    updated_at: int
    expires_at: int | None = None


@lru_cache(maxsize=4096)
def find_folder(namespace: str) -> str:
    """The folder of a namespace: one for each part between slashes.

    Only letters, digits, `-` and `_` stand in it, all in lower case, so that every file system can
    hold it. Namespaces may share one: the files in it have ids for names.
    """
    parts = (_OTHERS.sub("-", part.lower()).strip("-") for part in namespace.split("/"))
    names = [part[:_SEGMENT_CHARACTERS] for part in parts if part][:_SEGMENTS]
    return "/".join(f"_{name}" if _DEVICES.fullmatch(name) else name for name in names) or "_"


def render_memory(memory: Memory) -> bytes:
    """The file of a memory."""
    title = _TITLE.search(memory.content)
    lines = [
        "---",
        "type: Memory",
        *([f"title: {_quote(title[0].strip())}"] if title else []),
        *([f"tags: [{', '.join(map(_quote, memory.tags))}]"] if memory.tags else []),
        f"generated: {{ {', '.join(_describe_origin(memory))} }}",
        "memferry:",
        *(f"  {key}: {value}" for key, value in _list_fields(memory)),
        "---\n",
    ]
    return ("\n".join(lines) + memory.content).encode()


def render_index(folders: dict[str, int], *, more: int) -> bytes:
    """The index of the bundle: its folders with their numbers of memories, and of `more` others."""
    lines = [f"* [{name}]({name}/) - memories: {folders[name]}" for name in sorted(folders)]
    if more:
        lines.append(f"* [further folders](.) - memories: {more}")
    head = f'---\nokf_version: "{OKF_VERSION}"\n---\n\n# Memories\n\n'
    return (head + "\n".join(lines) + "\n").encode()


def measure_index(folder: str = "") -> int:
    """The most bytes that a folder takes in the index; without one: that all else takes."""
    return 2 * len(folder.encode()) + 64 if folder else 512


def _describe_origin(memory: Memory) -> list[str]:
    """Who wrote the content as it is, and when; a year above 9999 is no date of ISO 8601."""
    origin = [f"by: {_quote(f'process:{memory.source}')}"]
    try:
        time = make_moment(memory.updated_at)
    except OverflowError:
        return origin
    return [*origin, f'at: "{time:%Y-%m-%dT%H:%M:%S}.{memory.updated_at % 1000:03}Z"']


def _list_fields(memory: Memory) -> list[tuple[str, str]]:
    """The fields as YAML; one that is null is left out."""
    fields = [
        ("id", _quote(memory.id)),
        ("namespace", _quote(memory.namespace)),
        ("source", _quote(memory.source)),
    ]
    if memory.source_ref is not None:
        fields.append(("source_ref", _quote(memory.source_ref)))
    fields += [("created_at", str(memory.created_at)), ("updated_at", str(memory.updated_at))]
    if memory.expires_at is not None:
        fields.append(("expires_at", str(memory.expires_at)))
    if (metadata := bytes(memory.metadata).decode()) != "null":
        fields.append(("metadata", _quote(metadata)))
    return fields


def _quote(text: str) -> str:
    """A scalar of YAML in double quotes, on one line: JSON's escapes are some of YAML's."""
    quoted = msgspec.json.encode(text).decode()
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
