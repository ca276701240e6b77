"""The account export of ChatGPT: conversations, custom instructions, saved memories.

Nothing describes the format. What is known of it: conversations are trees of messages, in one file
or in many; saved memories are no file, but what conversations show of them is found again.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, LiteralString

from memferry.sources.base import Bundle, Journal, Member, Place, ReadOptions, Record
from memferry.sources.chats.chatgpt_conversation import ChatGptConversation
from memferry.sources.chats.conversations import make_records
from memferry.sources.chats.saved_texts import SAVED_MEMORY, SavedText, SavedTexts
from memferry.sources.reading.json_files import find_names, read_values
from memferry.sources.reading.json_values import get_text
from memferry.sources.reading.times import TimeReader

_LISTS = ("conversations",)
_SHARD = re.compile(r"(?:.*/)?conversations[^/]*\.json")
_MEMORY_TEXTS = ("content", "memory", "text")
_MEMORY_TIMES = ("created_at", "create_time", "timestamp")
_MEMORY_FILE = re.compile(r"(?:.*/)?memor(?:y|ies)\.json")


class ChatGptExport:
    """A zip, a folder, or one of its files with conversations."""

    name: LiteralString = "chatgpt"

    def recognises(self, bundle: Bundle) -> bool:
        """Whether a file has conversations with a `mapping`."""
        return any(map(_has_mapping, bundle.members))

    def read(self, bundle: Bundle, options: ReadOptions, journal: Journal) -> Iterator[Record]:
        """Yield conversations in their order, then instructions and saved memories."""
        saved = SavedTexts(journal)
        reader = _Reader(options, journal, saved)
        for member in bundle.members:
            if not bundle.is_archive or _SHARD.fullmatch(member.name) or _has_mapping(member):
                yield from reader.read_conversations(member)
            elif _MEMORY_FILE.fullmatch(member.name):
                reader.read_memory_file(member)
            else:
                journal.leave_out("other file of the export")
        yield from saved.make_records()


def _has_mapping(member: Member) -> bool:
    return find_names(member, _LISTS).get("mapping", b"").startswith(b"{")


class _Reader:
    """Reads the files of one export."""

    def __init__(self, options: ReadOptions, journal: Journal, saved: SavedTexts) -> None:
        self._options = options
        self._journal = journal
        self._saved = saved
        self._times = TimeReader(options.timezone, journal)

    def read_conversations(self, member: Member) -> Iterator[Record]:
        """Yield the records of one file; what is no conversation is rejected by itself."""
        for place, value in read_values(member, self._journal, _LISTS):
            mapping = value.get("mapping") if isinstance(value, dict) else None
            if not isinstance(mapping, dict):
                self._journal.reject(place, "is no conversation: it has no `mapping`")
            elif value.get("is_do_not_remember") is True:
                self._journal.leave_out("conversation not to be remembered")
            else:
                yield from self._read_conversation(value, place)

    def read_memory_file(self, member: Member) -> None:
        """Read a list of saved memories, which some exports are said to have."""
        for place, value in read_values(member, self._journal, _LISTS):
            fields = dict(value) if isinstance(value, dict) else {"content": value}
            text = next(filter(None, (get_text(fields, name) for name in _MEMORY_TEXTS)), None)
            if text is None:
                self._journal.reject(place, "is no memory: it has no `content`")
                continue
            time = next(filter(None, map(fields.get, _MEMORY_TIMES)), None)
            rest = fields.keys() - {*_MEMORY_TEXTS, *_MEMORY_TIMES}
            self._saved.add(
                SavedText(
                    tag=SAVED_MEMORY,
                    text=text,
                    place=place,
                    created_at=self._times.read(time, place),
                    origin={name: fields[name] for name in sorted(rest)},
                )
            )

    def _read_conversation(self, value: Mapping[str, Any], place: Place) -> Iterator[Record]:
        reading = ChatGptConversation(value, place, self._times, self._journal)
        for text in reading.list_saved_texts():
            self._saved.add(text)
        conversation = reading.read(with_branches=self._options.branches)
        yield from make_records(conversation, self._options, self._journal)
