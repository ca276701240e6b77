"""What a tool is: a struct of its arguments, which describes itself to models and runs itself."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, ClassVar

import msgspec

from memferry.client import AsyncClient
from memferry.errors import Invalid
from memferry.model import strict_json
from memferry.model.times import count_epoch_ms
from memferry.wire.schema import Json, describe

_NESTED = frozenset({"array", "object", "null"})
Metadata = dict[str, Any]
Moment = Annotated[
    str | None,
    describe(
        "ISO 8601, such as 2026-11-27 (its first moment) or 2026-11-27T08:30:00Z; UTC unless it "
        "names a zone"
    ),
]


class Tool(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One tool; the docstring of a class is what models read of it.

    An argument that it does not know is refused: a filter that is dropped would show too much.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    reads: ClassVar[bool] = False
    """Whether it changes nothing."""
    destroys: ClassVar[bool] = False
    """Whether it may take away what was there."""

    @abstractmethod
    async def run(self, client: AsyncClient) -> Json:
        """Do the work as the tenant of the client; raises MemferryError."""


class FilterTool(Tool, frozen=True, kw_only=True):
    """A tool whose memories must match all filters that are given."""

    namespace: Annotated[str | None, describe("only memories of exactly this namespace")] = None
    tags: Annotated[list[str] | None, describe("only memories with all of these tags")] = None
    metadata_filter: Annotated[
        Metadata | None, describe("only memories whose metadata contains this object")
    ] = None
    created_after: Moment = None
    created_before: Moment = None

    @property
    def filters(self) -> Metadata:
        """The filters that were given, as the API takes them; raises Invalid for a time."""
        filters = {
            "namespace": self.namespace,
            "tags": self.tags,
            "metadata_filter": self.metadata_filter,
            "created_after": read_time("created_after", self.created_after),
            "created_before": read_time("created_before", self.created_before),
        }
        return {name: value for name, value in filters.items() if value is not None}


@cache
def describe_arguments(tool: type[Tool]) -> Json:
    """The JSON Schema of a tool's arguments."""
    _, schemas = msgspec.json.schema_components([tool])
    schema = schemas[tool.__name__]
    parts = {name: schema[name] for name in ("type", "properties", "required")}
    return {**parts, "additionalProperties": False}


def read_arguments(tool: type[Tool], arguments: Mapping[str, Any]) -> Tool:
    """Read the arguments of a call; raises Invalid, which names the one that is wrong."""
    values = {name: _unwrap(tool, name, value) for name, value in arguments.items()}
    try:
        body = msgspec.json.encode(values)
    except UnicodeEncodeError as fault:
        raise Invalid("arguments", "hold half of a surrogate pair") from fault
    return strict_json.decode(_make_decoder(tool), body)


def read_time(field: str, text: str | None) -> int | None:
    """Read a time as epoch milliseconds; raises Invalid."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError as fault:
        raise Invalid(field, "expected a date or time of ISO 8601") from fault
    return count_epoch_ms(time if time.tzinfo is not None else time.replace(tzinfo=UTC))


@cache
def _make_decoder(tool: type[Tool]) -> "msgspec.json.Decoder[Tool]":
    return msgspec.json.Decoder(tool)


def _unwrap(tool: type[Tool], name: str, value: Any) -> Any:
    """Take a list or an object out of the JSON text that some clients wrap it in."""
    if not isinstance(value, str) or name not in _find_nested(tool):
        return value
    try:
        inner = msgspec.json.decode(value)
    except (msgspec.MsgspecError, ValueError):
        return value
    return inner if isinstance(inner, list | dict) else value


@cache
def _find_nested(tool: type[Tool]) -> frozenset[str]:
    """The arguments that are lists or objects, and never text."""
    fields = describe_arguments(tool)["properties"]
    return frozenset(name for name, schema in fields.items() if _list_types(schema) <= _NESTED)


def _list_types(schema: Json) -> set[str]:
    return {kind["type"] for kind in schema.get("anyOf", [schema])}
