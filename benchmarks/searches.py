"""Searches: how long they take among many rows, and whether they find what questions ask for."""

import json
import random
import re
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import urlencode

from measure import LeftOut, Line
from seed import vocabulary
from service import Bench, Client

_QUERIES, _QUICK_QUERIES = 200, 20
_LISTED = 50
_COMMON_QUERIES = 10
_TURNS = "locomo"
_SESSION = re.compile(r"session_(\d+)")


def time_searches(bench: Bench) -> Iterator[Line]:
    """GET /api/memories with a query, in the large tenant."""
    client, words = bench.client("big"), vocabulary()
    count = _QUICK_QUERIES if bench.options.quick else _QUERIES
    kinds = {
        "search: three words of a text": (_choose_texts(words, count), 100.0),
        "search: three words of a dictionary": (_choose_words(words, count), 100.0),
        "search: the most common words": (_choose_common(words), 500.0),
        "search: a beginning of one to four letters": (_choose_beginnings(words, count), 500.0),
    }
    for name, (queries, goal) in kinds.items():
        prefix = "beginning" in name
        _time(client, queries[:3], prefix=prefix)
        rounds = [_time(client, queries, prefix=prefix) for _ in range(bench.options.rounds)]
        worst = "common" in name
        values = [max(taken) if worst else quantiles(taken, n=20)[18] for taken in rounds]
        yield Line(
            case=name, against="the worst" if worst else "p95", values=values, unit="ms", goal=goal,
            note=f"{len(queries)} queries, {bench.options.rows:,} rows",
        )  # fmt: skip


def _choose_texts(words: Sequence[str], count: int) -> list[str]:
    """Three words each, as often as they are in texts."""
    chance = random.Random(11)
    common = list(accumulate(1 / (rank + 10) for rank in range(len(words))))
    return [" ".join(chance.choices(words, cum_weights=common, k=3)) for _ in range(count)]


def _choose_words(words: Sequence[str], count: int) -> list[str]:
    """Three words each, all equally often."""
    chance = random.Random(12)
    return [" ".join(chance.sample(words, k=3)) for _ in range(count)]


def _choose_common(words: Sequence[str]) -> list[str]:
    """The most common word alone, the two most common ones, and so on."""
    return [" ".join(words[:number]) for number in range(1, _COMMON_QUERIES + 1)]


def _choose_beginnings(words: Sequence[str], count: int) -> list[str]:
    chance = random.Random(13)
    return [chance.choice(words)[: chance.randint(1, 4)] for _ in range(count)]


def _time(client: Client, queries: Sequence[str], *, prefix: bool) -> list[float]:
    """How long each query takes, in ms."""
    taken = []
    for query in queries:
        fields = urlencode({"q": query, "limit": _LISTED, "prefix": str(prefix).lower()})
        started = time.perf_counter()
        client.good("GET", f"/api/memories?{fields}")
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def count_missed_turns(bench: Bench) -> Iterator[Line]:
    """The share of LoCoMo's questions that do not find the turn of a dialogue that answers them."""
    dialogues = _read(bench.options.locomo, "--locomo")
    questions = _read(bench.options.locomo_questions, "--locomo-questions")
    bench.seed({_TURNS: 0})
    client = bench.client(_TURNS)
    for name, dialogue in dialogues.items():
        items = [_make_memory(name, turn) for turn in _list_turns(dialogue)]
        client.good("POST", "/v1/memories/bulk", {"items": items})
    ranks = [
        _rank_evidence(client, name, question)
        for name, asked in questions.items()
        for question in asked
    ]
    for most, goal in ((5, 0.42), (20, 0.25)):
        missed = sum(rank > most for rank in ranks) / len(ranks)
        yield Line(
            case=f"locomo: missed among the first {most}", against="all questions",
            values=[missed], unit="of 1", goal=goal, note=f"{len(ranks):,} questions",
        )  # fmt: skip


def _read(directory: str | None, option: str) -> dict[str, Any]:
    """The JSON files of a directory by their names; raises LeftOut if there are none."""
    files = sorted(Path(directory).glob("*.json")) if directory else []
    if not files:
        raise LeftOut(f"{option} names no directory of LoCoMo's JSON files")
    return {file.stem: json.loads(file.read_bytes()) for file in files}


def _list_turns(dialogue: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in filter(_SESSION.fullmatch, dialogue):
        yield from dialogue[name]


def _make_memory(name: str, turn: dict[str, Any]) -> dict[str, Any]:
    """The memory of one turn: who says what, and what the picture shows."""
    parts = (f"{turn['speaker']}: {turn['text']}", turn.get("blip_caption"))
    return {
        "content": " ".join(part for part in parts if part),
        "namespace": name,
        "source_ref": turn["dia_id"],
    }


def _rank_evidence(client: Client, name: str, question: dict[str, Any]) -> float:
    """The place of the first turn with evidence among the first 20 hits; infinite without one."""
    fields = urlencode({"q": question["question"], "namespace": name, "limit": 20})
    hits = json.loads(client.good("GET", f"/api/memories?{fields}"))
    places = (
        place for place, hit in enumerate(hits, 1) if hit["source_ref"] in question["evidence"]
    )
    return next(places, float("inf"))
