"""One conversation of a Claude export: its active branch, and the files that were attached."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from memferry.sources.base import Journal, Place
from memferry.sources.chats.conversations import (
    OTHER_BRANCH,
    Conversation,
    Turn,
    cut_names,
    make_id,
)
from memferry.sources.chats.message_tree import MessageTree, TreeNode
from memferry.sources.reading.json_values import get_list, get_text, list_objects
from memferry.sources.reading.times import TimeReader

_ROLES = {"human": "user", "assistant": "assistant"}
_ROOT = "00000000-0000-4000-8000-000000000000"
_LEFT_OUT = {
    "thinking": "hidden reasoning",
    "tool_use": "tool traffic",
    "tool_result": "tool traffic",
    "token_budget": "message of the system",
    "injected_prompt_block": "message of the system",
}
_TITLE_CHARACTERS = 100


class ClaudeConversation:
    """A conversation as it stands in the export."""

    def __init__(
        self, value: Mapping[str, Any], place: Place, times: TimeReader, journal: Journal
    ) -> None:
        self._value = value
        self._place = place
        self._times = times
        self._journal = journal
        self._created_at = times.read(value.get("created_at"), place)
        self._messages = dict[str, Mapping[str, Any]]()
        for index, message in enumerate(get_list(value, "chat_messages")):
            self._add_message(index, message)
        self._nodes = dict(self._list_nodes())
        self._tree = MessageTree(self._nodes)
        self._positions = self._tree.count_depths()

    def read(self, *, with_branches: bool) -> Conversation:
        """Read the active branch, and the others after it if they are wanted."""
        path = self._find_path()
        others = sorted(self._messages.keys() - path, key=lambda id_: (self._positions[id_], id_))
        turns = list(self._read_turns(path, is_branch=False))
        if with_branches:
            turns += self._read_turns(others, is_branch=True)
        elif others:
            self._journal.leave_out(OTHER_BRANCH, len(others))
        summary = get_text(self._value, "summary")
        return Conversation(
            id=get_text(self._value, "uuid") or self._make_id(),
            title=get_text(self._value, "name") or _find_title(turns),
            place=self._place,
            turns=turns,
            created_at=self._created_at,
            updated_at=self._times.read(self._value.get("updated_at"), self._place),
            origin={"summary": summary} if summary else {},
        )

    def _make_id(self) -> str:
        return make_id(self._value.get("name"), self._value.get("created_at"))

    def _add_message(self, index: int, message: Any) -> None:
        if isinstance(message, dict):
            id_ = get_text(message, "uuid") or f"{index}"
            self._messages[id_ if id_ not in self._messages else f"{id_} {index}"] = message
        else:
            place = Place(self._place.member, f"{self._place.at} message {index}")
            self._journal.reject(place, "is no object with a message")

    def _list_nodes(self) -> Iterator[tuple[str, TreeNode]]:
        """Yield nodes with their parents: where a message names none, the one before it."""
        names_parents = any(_get_parent(message) for message in self._messages.values())
        before = None
        for id_, message in self._messages.items():
            is_root = names_parents and "parent_message_uuid" in message
            parent = _get_parent(message) if is_root else before
            time = self._times.read(message.get("created_at"), self._locate(id_))
            yield id_, TreeNode(None if parent == _ROOT else parent, time)
            before = id_

    def _find_path(self) -> Sequence[str]:
        leaf = self._value.get("current_leaf_message_uuid")
        if not isinstance(leaf, str) or leaf not in self._nodes:
            leaf = self._tree.find_newest_leaf()
        path = self._tree.list_path(leaf)
        if self._tree.is_broken(path):
            self._journal.repair("broken message tree", self._place)
        return path

    def _read_turns(self, ids: Sequence[str], *, is_branch: bool) -> Iterator[Turn]:
        for id_ in ids:
            message = self._messages[id_]
            role = _ROLES.get(get_text(message, "sender"))
            if role is None:
                self._journal.leave_out("message of the system")
                continue
            files = list(self._list_files(id_, message))
            text = self._read_text(message, role)
            if text.strip():
                names = {"attachments": _list_names(message)}
                yield self._make_turn(id_, role, text, names, is_branch=is_branch)
            elif not files:
                self._journal.leave_out("message without text")
            for file_id, content, origin in files:
                turn = self._make_turn(id_, role, content, origin, is_branch=is_branch)
                yield replace(turn, id=file_id)

    def _make_turn(
        self, id_: str, role: str, text: str, origin: Mapping[str, Any], *, is_branch: bool
    ) -> Turn:
        return Turn(
            id=id_,
            place=self._locate(id_),
            role=role,
            text=text,
            position=self._positions[id_],
            created_at=self._nodes[id_].time,
            updated_at=self._times.read(self._messages[id_].get("updated_at"), self._locate(id_)),
            origin={name: fact for name, fact in origin.items() if fact},
            is_branch=is_branch,
        )

    def _read_text(self, message: Mapping[str, Any], role: str) -> str:
        """Join the blocks of text; the flat copy counts only where it can hold nothing hidden."""
        blocks = list_objects(message, "content")
        texts = [get_text(block, "text") for block in blocks if block.get("type") == "text"]
        for block in blocks:
            kind = get_text(block, "type")
            if kind != "text":
                self._journal.leave_out(_LEFT_OUT.get(kind, "unknown content type"))
        if any(texts) or (blocks and role == "assistant"):
            return "\n\n".join(filter(None, texts))
        return get_text(message, "text")

    def _list_files(
        self, id_: str, message: Mapping[str, Any]
    ) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Yield an id, the text and the facts of each attachment whose text was extracted."""
        for number, file in enumerate(list_objects(message, "attachments")):
            text = get_text(file, "extracted_content")
            if text.strip():
                facts = {"file": get_text(file, "file_name"), "type": get_text(file, "file_type")}
                yield f"{id_}/attachment-{number}", text, facts

    def _locate(self, id_: str) -> Place:
        return Place(self._place.member, f"{self._place.at} message {id_[:100]}")


def _get_parent(message: Mapping[str, Any]) -> str | None:
    """The id of the message that a message answers."""
    return get_text(message, "parent_message_uuid") or None


def _list_names(message: Mapping[str, Any]) -> list[str]:
    """List the names of attached files."""
    files = [*list_objects(message, "attachments"), *list_objects(message, "files")]
    return cut_names(get_text(file, "file_name") for file in files)


def _find_title(turns: Sequence[Turn]) -> str | None:
    """The first line that a person has written, for a conversation without a name."""
    texts = (turn.text.strip() for turn in turns if turn.role == "user")
    return next((text.splitlines()[0][:_TITLE_CHARACTERS] for text in texts), None)
