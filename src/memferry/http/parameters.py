"""The query fields and headers that a route takes, as the OpenAPI document shows them."""

from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Raw

from memferry.filters import FILTERS, Filter


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One value of a request beside its path and its body."""

    name: str
    meaning: str
    shape: dict[str, Any]
    """Its `schema`, or its `content` where it is text of another format."""
    place: Literal["query", "header"] = "query"
    repeated: bool = False

    def describe(self) -> dict[str, Any]:
        """Describe it as a parameter object (https://spec.openapis.org/oas/v3.1.0#parameter-object)."""
        named = {"name": self.name, "in": self.place, "description": self.meaning}
        return {**named, **self.shape}


def query_field(name: str, kind: str, meaning: str) -> Parameter:
    """One field of a query string."""
    return Parameter(name=name, meaning=meaning, shape={"schema": {"type": kind}})


def list_field(name: str, meaning: str) -> Parameter:
    """One field of a query string that may be repeated."""
    schema = {"type": "array", "items": {"type": "string"}}
    return Parameter(name=name, meaning=meaning, shape={"schema": schema}, repeated=True)


def header_field(name: str, pattern: str, meaning: str) -> Parameter:
    """One header of a request."""
    schema = {"type": "string", "pattern": f"^{pattern}$"}
    return Parameter(name=name, meaning=meaning, shape={"schema": schema}, place="header")


PURGE = query_field("purge_exports", "boolean", "also remove stored exports that may hold it")


def filter_fields() -> list[Parameter]:
    """The filters that a query string can hold, as fields."""
    return [_filter_field(filter_) for filter_ in FILTERS]


def _filter_field(filter_: type[Filter]) -> Parameter:
    if filter_.type == list[str]:
        return list_field(filter_.field, f"{filter_.meaning}; repeat it for more, or a JSON array")
    if filter_.type is Raw:
        content = {"application/json": {"schema": {"type": "object"}}}
        return Parameter(name=filter_.field, meaning=filter_.meaning, shape={"content": content})
    kind = "integer" if filter_.type is int else "string"
    return query_field(filter_.field, kind, filter_.meaning)
