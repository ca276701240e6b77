"""Tables of parameters, bodies and answers, made of the schemas of the OpenAPI document."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]
_PREFIX = "#/components/schemas/"
_ULID = "^[0-9A-HJKMNP-TV-Z]{26}$"
_NAMES = {("format", "uuid"): "UUID", ("pattern", _ULID): "ULID"}
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "minLength": "{} or more characters",
    "maxLength": "up to {} characters",
    "minItems": "{} or more",
    "maxItems": "up to {}",
    "pattern": "matches `{}`",
    "const": "always `{}`",
}
_NO_NEWS = {*_NAMES, ("minimum", 0)}
_DEFAULTS_WITHOUT_NEWS = (None, False, "")


def describe_body(schema: Schema) -> str:
    """The fields of a body; null is what was not given, and needs no word."""
    required = schema.get("required", ())
    rows = [
        (f"`{name}`", *_describe_value(field, "required" if name in required else ""))
        for name, field in schema["properties"].items()
    ]
    return _make_table("body", rows)


def describe_answer(fields: Mapping[str, Schema], required: Sequence[str]) -> str:
    """The fields of an answer, with what may be null or missing."""
    rows = []
    for name, field in fields.items():
        kind, meaning = _describe_value(field, "" if name in required else "may be missing")
        null = " or null" if _may_be_null(field) else ""
        rows.append((f"`{name}`", kind + null, meaning))
    return _make_table("field", rows)


def describe_parameters(parameters: Sequence[Schema]) -> str:
    """Fields of the query string and headers; the path names its own. Empty: there are none."""
    rows = []
    for parameter in parameters:
        if parameter["in"] != "path":
            schema = parameter.get("schema") or {"type": "JSON object"}
            field = {**schema, "description": parameter["description"]}
            mark = "a header" if parameter["in"] == "header" else ""
            rows.append((f"`{parameter['name']}`", *_describe_value(field, mark)))
    return _make_table("parameter", rows) if rows else ""


def list_references(schema: Any) -> Iterator[str]:
    """The names of all schemas that a schema mentions, in their order."""
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            yield schema["$ref"].removeprefix(_PREFIX)
        for value in schema.values():
            yield from list_references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from list_references(value)


def name_type(schema: Schema) -> str:
    """The type of a value in words."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_PREFIX)
        return f"[{name}](#shape-{name.lower()})"
    for (key, value), name in _NAMES.items():
        if schema.get(key) == value:
            return name
    kind = schema.get("type", "string" if "enum" in schema else "any")
    if kind == "array":
        return f"list of {name_type(_drop_null(schema.get('items', {})))}"
    return kind if isinstance(kind, str) else str(kind[0])


def _describe_value(field: Schema, mark: str) -> tuple[str, str]:
    """The type of a field, and its meaning with all that bounds it."""
    inner = _drop_null(field)
    parts = [mark, field.get("description", ""), *_list_bounds(inner)]
    if "default" in field and field["default"] not in _DEFAULTS_WITHOUT_NEWS:
        parts.append(f"unless given: `{field['default']}`")
    return name_type(inner), "; ".join(filter(None, parts)).replace("|", "\\|")


def _list_bounds(schema: Schema) -> Iterator[str]:
    values = [value for value in schema.get("enum", ()) if value is not None]
    if values:
        yield "one of " + ", ".join(f"`{value}`" for value in values)
    for key, words in _BOUNDS.items():
        if key in schema and (key, schema[key]) not in _NO_NEWS:
            value = schema[key]
            yield words.format(f"{value:,}" if type(value) is int else _show(value))
    if "items" in schema:
        yield from _list_bounds(_drop_null(schema["items"]))


def _show(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _drop_null(schema: Schema) -> Schema:
    """The schema without the possibility of null."""
    for choice in schema.get("anyOf", ()):
        if choice != {"type": "null"}:
            return {**schema, **choice}
    return schema


def _may_be_null(schema: Schema) -> bool:
    return {"type": "null"} in schema.get("anyOf", ())


def _make_table(first: str, rows: Sequence[tuple[str, str, str]]) -> str:
    lines = [f"| {name} | {kind} | {meaning} |" for name, kind, meaning in rows]
    return "\n".join([f"| {first} | type | meaning |", "| --- | --- | --- |", *lines])
