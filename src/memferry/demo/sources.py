"""Where the demo's memories come from: the shipped sample, or the LoCoMo dialogues."""

import re
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from memferry.errors import Misconfigured

_SESSION = re.compile(r"session_(\d+)")


def sample() -> list[Raw]:
    """About 300 memories written for this, as JSON text: their numbers keep every digit."""
    text = resources.files("memferry.demo").joinpath("sample.ndjson").read_bytes()
    return [Raw(line) for line in text.split(b"\n") if line]


def locomo(directory: Path) -> list[Raw]:
    """One memory per turn of the dialogues in a directory of LoCoMo's JSON files.

    Namespace per conversation, tags speaker and session, source_ref the dialogue id, and whatever
    else a turn holds as metadata. Raises Misconfigured if there are none.
    """
    turns: list[Raw] = []
    for path in sorted(directory.glob("*.json")):
        conversation = msgspec.json.decode(path.read_bytes())
        for name in sorted(filter(_SESSION.fullmatch, conversation), key=_session_number):
            when = conversation.get(f"{name}_date_time")
            turns += [_memory(path.stem, name, when, turn) for turn in conversation[name]]
    if not turns:
        raise Misconfigured(f"--locomo: no LoCoMo dialogues (*.json) in {directory}")
    return turns


def _session_number(name: str) -> int:
    match = _SESSION.fullmatch(name)
    return int(match[1]) if match else 0


def _memory(conversation: str, session: str, when: str | None, turn: dict[str, Any]) -> Raw:
    known = {"speaker", "text", "dia_id"}
    rest = {key: value for key, value in turn.items() if key not in known}
    memory = {
        "content": turn["text"],
        "namespace": f"locomo-{conversation}",
        "tags": [turn["speaker"], session],
        "source": "locomo",
        "source_ref": turn["dia_id"],
        "metadata": rest | {"session_time": when},
    }
    return Raw(msgspec.json.encode(memory))
