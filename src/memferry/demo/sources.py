"""The memories of the demo: the shipped sample, or the LoCoMo dialogues."""

import re
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from memferry.errors import Misconfigured

_SESSION = re.compile(r"session_(\d+)")


def read_sample() -> list[Raw]:
    """Read about 300 memories as JSON text, so that their numbers keep every digit."""
    text = resources.files("memferry.demo").joinpath("sample.ndjson").read_bytes()
    return [Raw(line) for line in text.split(b"\n") if line]


def read_locomo(directory: Path) -> list[Raw]:
    """Read one memory per utterance from a directory of LoCoMo's JSON files.

    The namespace is the conversation, the tags are speaker and session, source_ref is the id of the
    utterance, and its other fields are metadata. Raises Misconfigured if there are no files.
    """
    memories: list[Raw] = []
    for path in sorted(directory.glob("*.json")):
        conversation = msgspec.json.decode(path.read_bytes())
        for name in sorted(filter(_SESSION.fullmatch, conversation), key=_parse_session_number):
            when = conversation.get(f"{name}_date_time")
            memories += [
                _make_memory(path.stem, name, when, utterance) for utterance in conversation[name]
            ]
    if not memories:
        raise Misconfigured(f"--locomo: no LoCoMo dialogues (*.json) in {directory}")
    return memories


def _parse_session_number(name: str) -> int:
    match = _SESSION.fullmatch(name)
    return int(match[1]) if match else 0


def _make_memory(
    conversation: str, session: str, when: str | None, utterance: dict[str, Any]
) -> Raw:
    used = {"speaker", "text", "dia_id"}
    rest = {key: value for key, value in utterance.items() if key not in used}
    memory = {
        "content": utterance["text"],
        "namespace": f"locomo-{conversation}",
        "tags": [utterance["speaker"], session],
        "source": "locomo",
        "source_ref": utterance["dia_id"],
        "metadata": rest | {"session_time": when},
    }
    return Raw(msgspec.json.encode(memory))
