"""What the filters mean, in plain Python, and what memories and filters to try them on.

Containment as PostgreSQL documents it for JSONB
(https://www.postgresql.org/docs/current/datatype-json.html#JSON-CONTAINMENT): objects contain fewer
keys, arrays contain fewer elements in any order and number, scalars are equal, numbers by value.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

TIMES = (
    0,
    1,
    1735689600000,
    1735689600001,
    1735689600002,
    8_639_999_999_999_999,
    8_640_000_000_000_000,
)
"""The times of memories and of filters: neighbours, and the ends of what can be said."""


@dataclass(frozen=True)
class Number:
    """A JSON number as it is written."""

    text: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and Decimal(self.text) == Decimal(other.text)

    def __hash__(self) -> int:
        return hash(Decimal(self.text))


@dataclass(frozen=True)
class Memory:
    """A memory to save and to find."""

    namespace: str
    tags: list[str]
    metadata: dict[str, Any] | None
    created_at: int
    updated_at: int

    def write_json(self, content: str) -> str:
        """The memory as a client sends it."""
        return write(
            {
                "content": content,
                "namespace": self.namespace,
                "tags": self.tags,
                "metadata": self.metadata,
                "created_at": Number(str(self.created_at)),
                "updated_at": Number(str(self.updated_at)),
            }
        )


@dataclass(frozen=True)
class Filters:
    """What to ask for; None is not given."""

    namespace: str | None = None
    tags: list[str] | None = None
    metadata_filter: dict[str, Any] | None = None
    created_after: int | None = None
    created_before: int | None = None
    updated_after: int | None = None
    updated_before: int | None = None

    def write_json(self) -> dict[str, str]:
        """The given filters, each as JSON text."""
        given = {name: getattr(self, name) for name in FILTERS}
        numbers = {
            name: Number(str(value)) if isinstance(value, int) else value
            for name, value in given.items()
        }
        return {name: write(value) for name, value in numbers.items() if value is not None}

    def match(self, memory: Memory) -> bool:
        """Whether a memory is meant: every given filter must hold."""
        return (
            (self.namespace is None or memory.namespace == self.namespace)
            and (self.tags is None or set(self.tags) <= set(memory.tags))
            and (not self.metadata_filter or contains(memory.metadata, self.metadata_filter))
            and (self.created_after is None or memory.created_at >= self.created_after)
            and (self.created_before is None or memory.created_at <= self.created_before)
            and (self.updated_after is None or memory.updated_at >= self.updated_after)
            and (self.updated_before is None or memory.updated_at <= self.updated_before)
        )


FILTERS = (
    "namespace",
    "tags",
    "metadata_filter",
    "created_after",
    "created_before",
    "updated_after",
    "updated_before",
)


def contains(whole: object, part: object) -> bool:
    """Whether `whole @> part`, both inside some object."""
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(
            key in whole and contains(whole[key], value) for key, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and all(
            any(contains(each, wanted) for each in whole) for wanted in part
        )
    return type(whole) is type(part) and whole == part


def write(value: object) -> str:
    """JSON text in which numbers stand as they were written."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(k)}:{write(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + "]"
    return json.dumps(value)


# Few and alike, so that memories and filters meet; each is near to another that is not equal.
_NUMBERS = """
    1 1.0 1.00 10e-1 1e0 0 -0 0.0 2 -1 0.1 0.10 1e2 100 1e300 1e400 1e-400
    9007199254740992 9007199254740992.5 9007199254740993 0.1000000000000000055511151231257827
"""
NUMBERS = st.sampled_from([*_NUMBERS.split(), "1" + "0" * 300]).map(Number)
_KEYS = st.sampled_from(
    ["", "a", "b", "A", "a.b", "1", "$", "\u00e9", "e\u0301", "\U0001f600", "\\", '"']
)
_TEXTS = _KEYS | st.sampled_from(
    ["1", "true", "null", "a ", " a", "\u2028", "\x01", "\u00e4", "a\u0308"]
)
SCALARS = st.none() | st.booleans() | NUMBERS | _TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(_KEYS, VALUES, max_size=4)
_NAMES = st.sampled_from(
    ["a", "A", "a ", "a/b", "default", "\u00e9", "e\u0301", "%", "a_b", "'", "\\"]
)
_TAGS = st.lists(
    st.sampled_from(["", "a", "A", "a ", "{}", "NULL", ",", '"', "\\", "é"]), max_size=4
)
MEMORIES = st.builds(
    Memory,
    namespace=_NAMES,
    tags=_TAGS,
    metadata=st.none() | OBJECTS,
    created_at=st.sampled_from(TIMES),
    updated_at=st.sampled_from(TIMES),
)
_SPANS = st.tuples(st.sampled_from(TIMES), st.sampled_from(TIMES)).map(sorted)


@st.composite
def parts(draw: st.DrawFn, whole: Any) -> Any:
    """Something that may well be contained in a value: with parts left out, turned and repeated."""
    if draw(st.integers(0, 9)) == 0:
        return draw(VALUES)
    if isinstance(whole, dict):
        kept = [key for key in whole if draw(st.booleans())]
        return {key: draw(parts(whole[key])) for key in kept}
    if isinstance(whole, list):
        kept = draw(st.lists(st.sampled_from(whole), max_size=4)) if whole else []
        return [draw(parts(each)) for each in kept]
    if isinstance(whole, Number) and draw(st.booleans()):
        return Number(str(Decimal(whole.text)))
    return whole


@st.composite
def filters(draw: st.DrawFn, memories: list[Memory]) -> Filters:
    """Filters that one of the memories may well match, or just not."""
    near = draw(st.sampled_from(memories))
    wanted = draw(parts(near.metadata)) if near.metadata else draw(OBJECTS)
    after, before = draw(_SPANS)
    changed_after, changed_before = draw(_SPANS)
    return Filters(
        namespace=draw(st.none() | st.just(near.namespace) | _NAMES),
        tags=draw(st.none() | st.just(near.tags[::-1]) | _TAGS),
        metadata_filter=draw(st.none() | st.just(wanted if isinstance(wanted, dict) else {})),
        created_after=draw(st.none() | st.just(after)),
        created_before=draw(st.none() | st.just(before)),
        updated_after=draw(st.none() | st.none() | st.just(changed_after)),
        updated_before=draw(st.none() | st.none() | st.just(changed_before)),
    )
