"""Projects and memories of a Claude export."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from memferry.sources.base import Journal, Place, ReadOptions, Record
from memferry.sources.chats.conversations import choose_time, encode_metadata
from memferry.sources.chats.saved_texts import CUSTOM_INSTRUCTIONS, SAVED_MEMORY
from memferry.sources.reading.json_values import get_object, get_text, list_objects
from memferry.sources.reading.times import TimeReader

# A line that is a heading of Markdown, or bold as a whole.
_HEADING = re.compile(r"^(?:#{1,6}[ \t].*|\*\*[^*\n]+\*\*:?[ \t]*)$", re.MULTILINE)
_TAG_CHARACTERS = 200
_REFERENCE_CHARACTERS = 200
_MOST_NAMES = 100_000


class ClaudeProjects:
    """Reads projects, whose names the memories refer to, and then memories."""

    def __init__(self, options: ReadOptions, times: TimeReader, journal: Journal) -> None:
        self._options = options
        self._times = times
        self._journal = journal
        self._names = dict[str, str]()

    def read_project(self, project: Any, place: Place) -> Iterator[Record]:
        """Yield the description, the instructions and the documents of one project."""
        id_ = get_text(project, "uuid") if isinstance(project, dict) else ""
        if not id_:
            self._journal.reject(place, "is no project: it has no `uuid`")
            return
        name = get_text(project, "name").strip()[:_TAG_CHARACTERS]
        if len(self._names) < _MOST_NAMES:
            self._names[id_[:_REFERENCE_CHARACTERS]] = name
        tags = [name] if name else []
        created_at, time_from = choose_time(self._times.read(project.get("created_at"), place))
        for field, more in (("description", []), ("prompt_template", [CUSTOM_INSTRUCTIONS])):
            text = get_text(project, field)
            if text.strip():
                yield Record(
                    place=place,
                    content=text,
                    key=f"{id_}/{field}",
                    tags=[*tags, *more],
                    origin={"field": field, **time_from},
                    created_at=created_at,
                )
        for number, document in enumerate(list_objects(project, "docs")):
            inside = Place(place.member, f"{place.at} docs[{number}]")
            yield from self._read_document(document, inside, id_, tags)

    def read_memories(self, memories: Any, place: Place) -> Iterator[Record]:
        """Yield a record per heading of what Claude remembers; without dates, it has none."""
        if not isinstance(memories, dict):
            self._journal.reject(place, "is no object with memories")
            return
        account = get_text(memories, "account_uuid")
        text = get_text(memories, "conversations_memory")
        yield from self._cut_memory(text, place, f"{account}/conversations", [])
        projects = get_object(memories, "project_memories")
        for id_, text in projects.items():
            name = self._names.get(id_[:_REFERENCE_CHARACTERS])
            inside = Place(place.member, f"{place.at} project {id_[:100]}")
            if isinstance(text, str):
                yield from self._cut_memory(
                    text, inside, f"{account}/{id_}", [name] if name else []
                )
            else:
                self._journal.reject(inside, "is no text")

    def _read_document(
        self, document: Mapping[str, Any], place: Place, project: str, tags: list[str]
    ) -> Iterator[Record]:
        text, name = get_text(document, "content"), get_text(document, "filename")
        if not text.strip():
            self._journal.leave_out("document without text")
            return
        id_ = get_text(document, "uuid") or name
        created_at, time_from = choose_time(self._times.read(document.get("created_at"), place))
        yield Record(
            place=place,
            content=text,
            key=f"{project}/{id_}",
            tags=tags,
            source_ref=id_ or None,
            metadata=encode_metadata({"parent_ref": project}),
            origin={"file": name, **time_from},
            created_at=created_at,
        )

    def _cut_memory(self, text: str, place: Place, key: str, tags: list[str]) -> Iterator[Record]:
        """Cut a text at its headings, unless it is to stay whole."""
        counts = Counter[str]()
        whole = self._options.per == "conversation"
        for heading, block in [("", text.strip())] if whole else _cut_blocks(text):
            counts[heading] += 1
            if block:
                yield Record(
                    place=place,
                    content=block,
                    key=f"{key}/{heading}#{counts[heading]}",
                    tags=[SAVED_MEMORY, *tags],
                    origin={},
                )


def _cut_blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield each heading with its text below it, itself included; "" for what stands before."""
    bounds = [*(match.start() for match in _HEADING.finditer(text)), len(text)]
    yield "", text[: bounds[0]].strip()
    for start, end in pairwise(bounds):
        block = text[start:end].strip()
        yield block.partition("\n")[0].strip("#*: \t"), block
