"""The OpenAPI document, made from the operations and their wire types.

https://spec.openapis.org/oas/v3.1.0
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

import msgspec

from memferry.http.auth import Access
from memferry.http.routing import Operation
from memferry.wire.errors import Error

_INFO = {
    "title": "memferry",
    "description": "A memory store for AI agents that people can always leave.",
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "version": version("memferry"),
}
_REASONS = {
    400: "The input breaks a rule; the error names the field",
    401: "Missing or unknown token",
    403: "The token lacks a scope, which the error names, or is limited to other namespaces",
    404: "Not found",
    409: "It collides with another request, or with a name that is in use",
    412: "The file is not the one that If-Match names",
    413: "Too large",
    416: "The range lies outside the file",
    422: "The Idempotency-Key was used for another request, or the export would be too large",
    429: "A limit of the tenant is reached; try again after Retry-After seconds",
    503: "A part of the service is away; try again after Retry-After seconds",
}
# What everything may answer that needs a token.
_USUAL_ERRORS = (400, 401, 403, 429, 503)
_FILES = {
    "required": True,
    "content": {
        "application/octet-stream": {},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "file": {
                        "type": "array",
                        "items": {"type": "string", "contentMediaType": "application/octet-stream"},
                        "minItems": 1,
                    }
                },
                "required": ["file"],
                "additionalProperties": False,
            }
        },
    },
}
_VALUE = re.compile(r"{(\w+)(?::\w+)?}")
Schemas = dict[Any, dict[str, Any]]


def describe_api(operations: Sequence[Operation]) -> dict[str, Any]:
    """Describe all operations."""
    schemas, components = _make_schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = _VALUE.sub(r"{\1}", operation.path)
        item = paths.setdefault(path, {})
        for method in map(str.lower, operation.methods):
            item[method] = {
                "operationId": re.sub(r"\W", "_", f"{operation.name}{path}_{method}"),
                **_describe(operation, schemas),
            }
    return {
        "openapi": "3.1.0",
        "info": _INFO,
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _make_schemas(operations: Sequence[Operation]) -> tuple[Schemas, dict[str, Any]]:
    """Make the schemas of the types that operations name, and of the types in these.

    A body stands in its operation, where people look for its fields; an answer is a reference.
    """
    bodies = {body for operation in operations if (body := operation.struct) is not None}
    answers = {operation.answer for operation in operations} - {None, bytes}
    types = sorted(bodies | answers | {Error}, key=str)
    shown, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    schemas = dict(zip(types, shown, strict=True))
    return schemas | {body: components.pop(body.__name__) for body in bodies}, components


def _describe(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "tags": [operation.tag],
        "summary": operation.name.replace("_", " ").title(),
        "description": inspect.getdoc(operation.endpoint),
        "responses": dict(_describe_answers(operation, schemas)),
        "security": _describe_access(operation.access),
    }
    if parameters := list(_describe_parameters(operation)):
        shown["parameters"] = parameters
    if operation.body is bytes:
        shown["requestBody"] = _FILES
    elif operation.body is not None:
        shown["requestBody"] = _wrap_schema(schemas[operation.body])
    return shown


def _describe_answers(operation: Operation, schemas: Schemas) -> Iterator[tuple[str, Any]]:
    content: dict[str, Any] = {}
    if operation.answer is bytes:
        content = {"content": {"*/*": {}}}
    elif operation.answer is not None:
        content = _wrap_schema(schemas[operation.answer])
    yield str(operation.status), {"description": "Done", **content}
    usual = () if operation.access is None else _USUAL_ERRORS
    for status in sorted({*operation.errors, *usual}):
        yield str(status), {"description": _REASONS[status], **_wrap_schema(schemas[Error])}


def _wrap_schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _describe_access(access: Access | None) -> list[dict[str, list[str]]]:
    """Describe each sufficient set of scopes; an empty list means that no token is needed."""
    if access is None:
        return []
    alternative = [] if access.alternative is None else [[access.alternative]]
    return [{"token": list(scopes)} for scopes in (access.scopes, *alternative)]


def _describe_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in _VALUE.findall(operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for parameter in operation.parameters:
        yield parameter.describe()
