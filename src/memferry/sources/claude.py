"""The account export of Claude: conversations, projects with their documents, memories.

Nothing describes the format. Until the middle of 2026 it was one archive; since then it is a
manifest with links to several, each of which can be imported by itself.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import LiteralString

from memferry.errors import Invalid
from memferry.sources.base import Bundle, Journal, Member, ReadOptions, Record
from memferry.sources.chats.claude_conversation import ClaudeConversation
from memferry.sources.chats.claude_projects import ClaudeProjects
from memferry.sources.chats.conversations import make_records
from memferry.sources.reading.elements import HEAD_BYTES
from memferry.sources.reading.json_files import find_names, read_values
from memferry.sources.reading.text import peek_text
from memferry.sources.reading.times import TimeReader

_LISTS = ("conversations", "projects")
_MEMORIES = frozenset(["conversations_memory", "project_memories"])
_PROJECT = frozenset(["uuid", "prompt_template"])
_CONVERSATIONS_FILE = re.compile(r"(?:.*/)?conversations\.json")
# The names of its keys are not known: links to archives of these names are enough.
_LINKED_FILE = re.compile(rb"conversations-\d+\.zip")


class _Kind(Enum):
    CONVERSATIONS = "conversations"
    PROJECTS = "projects"
    MEMORIES = "memories"
    MANIFEST = "manifest"


class ClaudeExport:
    """An archive, a folder, or one of its files."""

    name: LiteralString = "claude"

    def recognises(self, bundle: Bundle) -> bool:
        """Whether a file has `chat_messages`, projects, memories of Claude, or links to them."""
        return any(_find_kind(member) for member in bundle.members)

    def read(self, bundle: Bundle, options: ReadOptions, journal: Journal) -> Iterator[Record]:
        """Yield conversations, then projects, then memories.

        Raises Invalid for a manifest alone, which says what to do.
        """
        files: dict[_Kind, list[Member]] = {kind: [] for kind in _Kind}
        for member in bundle.members:
            kind = _find_kind(member)
            if kind is None and (
                not bundle.is_archive or _CONVERSATIONS_FILE.fullmatch(member.name)
            ):
                kind = _Kind.CONVERSATIONS
            if kind is None:
                journal.leave_out("other file of the export")
            else:
                files[kind].append(member)
        if files.pop(_Kind.MANIFEST) and not any(files.values()):
            raise Invalid(
                "file",
                "is the list of a Claude export, and holds links alone: download the files behind "
                "them and import those",
            )
        yield from _read_files(files, options, journal)


def _find_kind(member: Member) -> _Kind | None:
    names = find_names(member, _LISTS)
    if names.get("chat_messages", b"").startswith(b"["):
        return _Kind.CONVERSATIONS
    if names.keys() >= _PROJECT:
        return _Kind.PROJECTS
    if names.keys() & _MEMORIES:
        return _Kind.MEMORIES
    head = peek_text(member, HEAD_BYTES) if names else b""
    is_manifest = b"https://" in head and _LINKED_FILE.search(head)
    return _Kind.MANIFEST if is_manifest else None


def _read_files(
    files: dict[_Kind, list[Member]], options: ReadOptions, journal: Journal
) -> Iterator[Record]:
    times = TimeReader(options.timezone, journal)
    projects = ClaudeProjects(options, times, journal)
    for member in files[_Kind.CONVERSATIONS]:
        yield from _read_conversations(member, options, times, journal)
    for member in files[_Kind.PROJECTS]:
        for place, value in read_values(member, journal, _LISTS):
            yield from projects.read_project(value, place)
    for member in files[_Kind.MEMORIES]:
        for place, value in read_values(member, journal):
            yield from projects.read_memories(value, place)


def _read_conversations(
    member: Member, options: ReadOptions, times: TimeReader, journal: Journal
) -> Iterator[Record]:
    for place, value in read_values(member, journal, _LISTS):
        if not isinstance(value, dict) or not isinstance(value.get("chat_messages"), list):
            journal.reject(place, "is no conversation: it has no `chat_messages`")
        else:
            reading = ClaudeConversation(value, place, times, journal)
            conversation = reading.read(with_branches=options.branches)
            yield from make_records(conversation, options, journal)
