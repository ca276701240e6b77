"""Conversations as records: one per message, or one per conversation."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from memferry.model.rules import CONTENT_BYTES
from memferry.sources.base import Journal, Place, ReadOptions, Record

BRANCH_TAG = "branch"
OTHER_BRANCH = "other branch"
_TITLE_CHARACTERS = 1000
_NAMES, _NAME_CHARACTERS = 100, 500
# What one memory of a whole conversation may hold: its metadata lists the messages.
_MESSAGES = 2000


def make_id(*words: object) -> str:
    """Make an id of a conversation that has none, of what it has instead."""
    return hashlib.sha256("\0".join(map(str, words)).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message of a person or an assistant."""

    id: str
    place: Place
    role: str
    """`user` or `assistant`, whatever the source calls them."""
    text: str
    position: int
    """How many stand before it: of two exports of one conversation both give the same."""
    created_at: int | None
    updated_at: int | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)
    is_branch: bool = False
    """Whether another one has taken its place in the conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation with those of its messages that are to be read, in their order."""

    id: str
    title: str | None
    place: Place
    turns: Sequence[Turn]
    created_at: int | None
    updated_at: int | None
    origin: Mapping[str, Any] = field(default_factory=dict)


def cut_names(names: Iterable[str]) -> list[str]:
    """The names of attached files, as many and as much of each as metadata should hold."""
    return [name[:_NAME_CHARACTERS] for name in names if name][:_NAMES]


def make_records(
    conversation: Conversation, options: ReadOptions, journal: Journal
) -> Iterator[Record]:
    """Yield the records of a conversation: a thread of memories, whose `parent_ref` is its id."""
    title = conversation.title
    if title and len(title) > _TITLE_CHARACTERS:
        journal.repair("title cut", conversation.place)
        title = title[:_TITLE_CHARACTERS]
    thread: dict[str, Any] = {"parent_ref": conversation.id} | ({"title": title} if title else {})
    turns = conversation.turns
    if options.per == "conversation":
        yield from _join_turns(conversation, thread)
        turns = [turn for turn in turns if turn.is_branch]
    for turn in turns:
        yield _make_record(conversation, turn, thread)


def _make_record(conversation: Conversation, turn: Turn, thread: Mapping[str, Any]) -> Record:
    created_at, time_from = choose_time(turn.created_at, conversation.created_at)
    metadata = {**thread, "chunk_index": turn.position, "role": turn.role}
    return Record(
        place=turn.place,
        content=turn.text,
        key=f"{conversation.id}/{turn.id}",
        tags=[BRANCH_TAG] if turn.is_branch else [],
        source_ref=turn.id,
        metadata=encode_metadata(metadata),
        origin={**conversation.origin, **turn.origin, "seq": turn.position, **time_from},
        created_at=created_at,
        updated_at=turn.updated_at,
    )


def choose_time(
    record: int | None, conversation: int | None = None
) -> tuple[int | None, dict[str, str]]:
    """The best time there is, in ms, and what tells where it comes from."""
    if record is not None:
        return record, {"time_from": "record"}
    return conversation, {} if conversation is None else {"time_from": "conversation"}


def encode_metadata(metadata: Mapping[str, Any]) -> str:
    """Metadata as the JSON text of a record."""
    return msgspec.json.encode(metadata).decode()


def _join_turns(conversation: Conversation, thread: Mapping[str, Any]) -> Iterator[Record]:
    """One memory for the whole conversation; more if it is larger than a memory may be."""
    path = [turn for turn in conversation.turns if not turn.is_branch]
    for index, turns in enumerate(_group_turns(path)):
        first = next((turn.created_at for turn in turns if turn.created_at is not None), None)
        created_at, time_from = choose_time(conversation.created_at if index == 0 else first, first)
        messages = [
            {"id": turn.id, "role": turn.role, "created_at": turn.created_at} for turn in turns
        ]
        yield Record(
            place=conversation.place,
            content="\n\n".join(map(_write_turn, turns)),
            key=f"{conversation.id}#{index}",
            source_ref=conversation.id,
            metadata=encode_metadata({**thread, "chunk_index": index}),
            origin={**conversation.origin, "messages": messages, **time_from},
            created_at=created_at,
            updated_at=conversation.updated_at,
        )


def _group_turns(turns: Sequence[Turn]) -> Iterator[Sequence[Turn]]:
    """Yield the turns in groups, each of which fits into one memory unless it is a single one."""
    group, size = list[Turn](), 0
    for turn in turns:
        added = len(_write_turn(turn).encode()) + 2
        if group and (size + added > CONTENT_BYTES or len(group) == _MESSAGES):
            yield group
            group, size = [], 0
        group.append(turn)
        size += added
    if group:
        yield group


def _write_turn(turn: Turn) -> str:
    return f"{turn.role}: {turn.text}"
