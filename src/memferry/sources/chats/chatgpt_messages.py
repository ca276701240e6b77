"""What a message of a ChatGPT export is, and where its words stand."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from memferry.sources.base import Journal, Place
from memferry.sources.chats.conversations import cut_names
from memferry.sources.reading.json_values import get_list, get_object, get_text, list_objects

USER_CONTEXT = "user_editable_context"
MODEL_CONTEXT = "model_editable_context"

_TEXTS = frozenset(["text", "multimodal_text"])
_REASONING = frozenset(["thoughts", "reasoning_recap"])
_TOOLS = frozenset(
    [
        *("code", "execution_output", "citable_code_output", "computer_output", "system_error"),
        *("tether_quote", "tether_browsing_display", "sonic_webpage"),
    ]
)
_ROLES = frozenset(["user", "assistant"])
# A mark is a token such as `cite` with the turns it cites, between two private-use characters.
_CITATION = re.compile("\ue200(?:file)?cite[^\ue200\ue201]*\ue201")
_SAVED_LINE = re.compile(r"^\d{1,6}\. (?:\[(?P<date>[^\]\n]{1,40})\]\.? ?)?", re.MULTILINE)


def get_role(message: Mapping[str, Any]) -> str:
    """Who has written it."""
    return get_text(get_object(message, "author"), "role")


def get_content_type(message: Mapping[str, Any]) -> str:
    """The kind of its content; `text` where none is named."""
    return get_text(get_object(message, "content"), "content_type") or "text"


def is_saved_memory(message: Mapping[str, Any]) -> bool:
    """Whether an assistant has sent it to the tool that saves memories."""
    return get_text(message, "recipient") == "bio" and get_role(message) == "assistant"


def find_reason_against(message: Mapping[str, Any]) -> str | None:
    """Why it is no word of a conversation; None: it is one."""
    role, kind = get_role(message), get_content_type(message)
    if kind in _REASONING:
        return "hidden reasoning"
    if role == "tool" or kind in _TOOLS or get_text(message, "recipient") not in {"", "all"}:
        return "tool traffic"
    if role not in _ROLES:
        return "message of the system"
    if get_object(message, "metadata").get("is_visually_hidden_from_conversation") is True:
        return "hidden message"
    return None


def is_known_type(message: Mapping[str, Any]) -> bool:
    """Whether the kind of its content is one whose words are known to be all."""
    return get_content_type(message) in _TEXTS


def read_text(message: Mapping[str, Any], place: Place, journal: Journal) -> str:
    """Join the words of its parts; marks of citations go, and are noted."""
    content = message.get("content")
    text = content if isinstance(content, str) else _join_parts(get_object(message, "content"))
    if "\ue200" in text and (plain := _CITATION.sub("", text)) != text:
        journal.repair("citation marks", place)
        return plain
    return text


def list_attachments(message: Mapping[str, Any]) -> list[str]:
    """List the names of files and images, which the words may be about."""
    files = list_objects(get_object(message, "metadata"), "attachments")
    assets = list_objects(get_object(message, "content"), "parts")
    names = [get_text(file, "name") for file in files]
    return cut_names([*names, *(get_text(asset, "asset_pointer") for asset in assets)])


def list_instructions(message: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each custom instruction."""
    for name in ("user_profile", "user_instructions"):
        if text := get_text(get_object(message, "content"), name):
            yield name, text


def list_saved_lines(message: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    """Yield the date and the text of each saved memory that the model was shown."""
    text = get_text(get_object(message, "content"), "model_set_context")
    lines = list(_SAVED_LINE.finditer(text))
    bounds = [*(line.start() for line in lines), len(text)]
    if before := text[: bounds[0]].strip():
        yield None, before
    for line, end in zip(lines, bounds[1:], strict=True):
        yield line["date"], text[line.end() : end].strip()


def _join_parts(content: Mapping[str, Any]) -> str:
    parts = [
        part if isinstance(part, str) else get_text(part, "text")
        for part in get_list(content, "parts")
        if isinstance(part, str | dict)
    ]
    return "\n\n".join(filter(None, parts)) or get_text(content, "text")
