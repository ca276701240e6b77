"""One conversation of a ChatGPT export: its active branch, and the texts it shows in passing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from memferry.sources.base import Journal, Place
from memferry.sources.chats.chatgpt_messages import (
    MODEL_CONTEXT,
    USER_CONTEXT,
    find_reason_against,
    get_content_type,
    get_role,
    is_known_type,
    is_saved_memory,
    list_attachments,
    list_instructions,
    list_saved_lines,
    read_text,
)
from memferry.sources.chats.conversations import OTHER_BRANCH, Conversation, Turn, make_id
from memferry.sources.chats.message_tree import MessageTree, TreeNode
from memferry.sources.chats.saved_texts import CUSTOM_INSTRUCTIONS, SAVED_MEMORY, SavedText
from memferry.sources.reading.json_values import get_object, get_text
from memferry.sources.reading.times import TimeReader
from memferry.sources.reading.written_dates import parse_date

_FACTS = ("gizmo_id", "conversation_template_id", "is_archived", "is_starred")
_CONTEXTS = frozenset([USER_CONTEXT, MODEL_CONTEXT])


class ChatGptConversation:
    """A conversation as it stands in the export."""

    def __init__(
        self, value: Mapping[str, Any], place: Place, times: TimeReader, journal: Journal
    ) -> None:
        self._value = value
        self._place = place
        self._times = times
        self._journal = journal
        self._created_at = times.read(value.get("create_time"), place)
        self._messages = dict[str, Mapping[str, Any]]()
        self._nodes = dict[str, TreeNode]()
        for id_, node in get_object(value, "mapping").items():
            self._add_node(id_, node)
        self._tree = MessageTree(self._nodes)
        self._positions = self._tree.count_depths()

    def read(self, *, with_branches: bool) -> Conversation:
        """Read the active branch, and the others after it if they are wanted."""
        path = self._find_path()
        others = [id_ for id_ in self._messages.keys() - path if self._is_word(id_)]
        others.sort(key=lambda id_: (self._positions[id_], id_))
        turns = list(self._read_turns(path, is_branch=False))
        if with_branches:
            turns += self._read_turns(others, is_branch=True)
        elif others:
            self._journal.leave_out(OTHER_BRANCH, len(others))
        return Conversation(
            id=self._id,
            title=get_text(self._value, "title") or None,
            place=self._place,
            turns=turns,
            created_at=self._created_at,
            updated_at=self._times.read(self._value.get("update_time"), self._place),
            origin={name: self._value[name] for name in _FACTS if self._value.get(name)},
        )

    def list_saved_texts(self) -> Iterator[SavedText]:
        """Yield memories that were saved or shown here, and instructions, of all branches."""
        for id_, message in self._messages.items():
            kind = get_content_type(message)
            if is_saved_memory(message):
                text = read_text(message, self._locate(id_), self._journal)
                yield self._make_saved(id_, SAVED_MEMORY, text, source_ref=self._get_id(id_))
            elif kind == MODEL_CONTEXT:
                for date, text in list_saved_lines(message):
                    yield self._make_shown(id_, date, text)
            elif kind == USER_CONTEXT:
                for name, text in list_instructions(message):
                    yield self._make_saved(id_, CUSTOM_INSTRUCTIONS, text, origin={"field": name})

    @property
    def _id(self) -> str:
        """Its id; if it has none, the digest of what it has instead."""
        id_ = get_text(self._value, "conversation_id") or get_text(self._value, "id")
        return id_ or make_id(self._value.get("title"), self._value.get("create_time"))

    def _add_node(self, id_: str, node: Any) -> None:
        if node is None:
            self._journal.leave_out("node without message")
            return
        if not isinstance(node, dict):
            self._journal.reject(self._locate(id_), "is no object with a message")
            return
        parent, message = node.get("parent"), node.get("message")
        if isinstance(message, dict):
            self._messages[id_] = message
        elif message is not None:
            self._journal.reject(self._locate(id_), "its message is no object")
        self._nodes[id_] = TreeNode(
            parent if isinstance(parent, str) else None,
            self._times.read(self._messages.get(id_, {}).get("create_time"), self._locate(id_)),
            is_message=id_ in self._messages,
        )

    def _find_path(self) -> Sequence[str]:
        leaf = self._value.get("current_node")
        if not isinstance(leaf, str) or leaf not in self._nodes:
            leaf = self._tree.find_newest_leaf()
            if leaf is not None:
                self._journal.repair("missing current node", self._place)
        path = self._tree.list_path(leaf)
        if self._tree.is_broken(path):
            self._journal.repair("broken message tree", self._place)
        return path

    def _read_turns(self, ids: Sequence[str], *, is_branch: bool) -> Iterator[Turn]:
        for id_ in ids:
            message = self._messages.get(id_)
            if message is None or is_saved_memory(message):
                continue
            if get_content_type(message) in _CONTEXTS:
                continue
            if reason := find_reason_against(message):
                self._journal.leave_out(reason)
            elif turn := self._make_turn(id_, message, is_branch=is_branch):
                yield turn

    def _make_turn(self, id_: str, message: Mapping[str, Any], *, is_branch: bool) -> Turn | None:
        place = self._locate(id_)
        text = read_text(message, place, self._journal)
        if not text.strip():
            known = is_known_type(message)
            self._journal.leave_out("message without text" if known else "unknown content type")
            return None
        return Turn(
            id=self._get_id(id_),
            place=place,
            role=get_role(message),
            text=text,
            position=self._positions[id_],
            created_at=self._nodes[id_].time,
            updated_at=self._times.read(message.get("update_time"), place),
            origin=self._make_origin(message, place),
            is_branch=is_branch,
        )

    def _make_origin(self, message: Mapping[str, Any], place: Place) -> dict[str, Any]:
        facts = {
            "model": get_text(get_object(message, "metadata"), "model_slug"),
            "attachments": list_attachments(message),
        }
        if not is_known_type(message):
            self._journal.repair("unknown content type", place)
            facts["content"] = message["content"]
        return {name: fact for name, fact in facts.items() if fact}

    def _make_saved(
        self,
        id_: str,
        tag: str,
        text: str,
        *,
        source_ref: str | None = None,
        origin: Mapping[str, Any] | None = None,
    ) -> SavedText:
        time = self._nodes[id_].time
        return SavedText(
            tag=tag,
            text=text,
            place=self._locate(id_),
            created_at=self._created_at if time is None else time,
            source_ref=source_ref,
            origin=origin or {},
        )

    def _make_shown(self, id_: str, date: str | None, text: str) -> SavedText:
        day = parse_date(date) if date else None
        return SavedText(
            tag=SAVED_MEMORY,
            text=text,
            place=self._locate(id_),
            created_at=day.count_milliseconds(self._times.zone) if day else None,
            is_exact=False,
            origin={"date": date} if date else {},
        )

    def _is_word(self, id_: str) -> bool:
        """Whether it is a message that belongs into a conversation."""
        message = self._messages[id_]
        return (
            get_content_type(message) not in _CONTEXTS
            and not is_saved_memory(message)
            and find_reason_against(message) is None
        )

    def _get_id(self, id_: str) -> str:
        return get_text(self._messages[id_], "id") or id_

    def _locate(self, id_: str) -> Place:
        return Place(self._place.member, f"{self._place.at} message {id_[:100]}")
