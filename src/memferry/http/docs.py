"""What a route says of itself in the OpenAPI document."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import APIRouter, Depends
from msgspec import Raw
from pydantic import BaseModel
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from memferry.filters import LIST_FILTERS, Filter
from memferry.http import shapes
from memferry.http.auth import needs
from memferry.http.requests import accept_query
from memferry.model.token import Scope


class _AnyText(Convertor[str]):
    """The rest of a path, whatever it is: starlette's own `path` ends at a line break."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """The text as it came."""
        return value

    def to_string(self, value: str) -> str:
        """The text as it is."""
        return value


register_url_convertor("any_text", _AnyText())

_REASONS = {
    400: "The input breaks a rule; the error names the field",
    401: "Missing or unknown token",
    403: "The token lacks a scope, which the error names, or is limited to other namespaces",
    404: "Not found",
    409: "It collides with a request that is still being answered",
    412: "The file is not the one that If-Match names",
    413: "Too large",
    416: "The range lies outside the file",
    422: "The Idempotency-Key was used for another request, or the export would be too large",
    429: "A limit of the tenant is reached; try again after Retry-After seconds",
    503: "A part of the service is away; try again after Retry-After seconds",
}


def documented(
    status: int,
    answer: Any,
    *errors: int,
    body: type[BaseModel] | None = None,
    parameters: Sequence[dict[str, Any]] = (),
    scopes: Sequence[Scope] | None = None,
    alternative: Scope | None = None,
) -> dict[str, Any]:
    """What describes a route to FastAPI: its answers, body, parameters and the scopes it needs.

    No `scopes` means that it needs no token; the `alternative` is a scope that will do instead.
    """
    failures = errors if scopes is None else (*errors, 401, 403, 429, 503)
    responses: dict[int, Any] = {
        code: {"model": shapes.Error, "description": _REASONS[code]} for code in failures
    }
    responses[status] = {"model": answer, "description": "Done"}
    allowed = [] if scopes is None else [list(scopes), *([[alternative]] if alternative else [])]
    extra: dict[str, Any] = {"security": [{"token": names} for names in allowed]}
    if body is not None:
        schema = body.model_json_schema(ref_template="#/components/schemas/{model}")
        extra["requestBody"] = {"content": {"application/json": {"schema": _inlined(schema)}}}
    if parameters:
        extra["parameters"] = list(parameters)
    return {
        "status_code": status,
        "response_model": None,
        "responses": responses,
        "openapi_extra": extra,
    }


def add_route(
    router: APIRouter,
    address: str,
    endpoint: Callable[..., Awaitable[Response]],
    status: int,
    answer: Any,
    *errors: int,
    scopes: Sequence[Scope],
    alternative: Scope | None = None,
    whole_tenant: bool = False,
    **more: Any,
) -> None:
    """Add `METHOD[|METHOD] /path` to a router, for callers whose token holds all of the scopes.

    `alternative` and `whole_tenant` are what `needs` takes; the rest is what `documented` takes.
    The query string may hold the documented fields and no other.
    """
    methods, path = address.split(" ")
    checks = [
        needs(*scopes, alternative=alternative, whole_tenant=whole_tenant),
        check_query(more.get("parameters", ())),
    ]
    router.add_api_route(
        path,
        endpoint,
        methods=methods.split("|"),
        dependencies=[Depends(check) for check in checks],
        **documented(
            status, answer, *{*errors, 400}, scopes=scopes, alternative=alternative, **more
        ),
    )


def check_query(parameters: Sequence[dict[str, Any]]) -> Callable[[Request], Awaitable[None]]:
    """What lets a request through whose query string holds only these of the parameters."""
    fields = [field for field in parameters if field["in"] == "query"]
    return accept_query(
        names={field["name"] for field in fields},
        lists={field["name"] for field in fields if field["schema"].get("type") == "array"},
    )


def query_field(name: str, kind: str, meaning: str) -> dict[str, Any]:
    """One field of a query string."""
    return {"name": name, "in": "query", "description": meaning, "schema": {"type": kind}}


def list_field(name: str, meaning: str) -> dict[str, Any]:
    """One field of a query string that may be repeated."""
    schema = {"type": "array", "items": {"type": "string"}}
    return {"name": name, "in": "query", "description": meaning, "schema": schema}


def header_field(name: str, pattern: str, meaning: str) -> dict[str, Any]:
    """One header of a request."""
    schema = {"type": "string", "pattern": f"^{pattern}$"}
    return {"name": name, "in": "header", "description": meaning, "schema": schema}


def filter_fields() -> list[dict[str, Any]]:
    """The filters a query string can hold."""
    return [_filter_field(filter_) for filter_ in LIST_FILTERS]


def _filter_field(filter_: type[Filter]) -> dict[str, Any]:
    if filter_.type == list[str]:
        return list_field(filter_.field, f"{filter_.meaning}; repeat it for more, or a JSON array")
    field = query_field(
        filter_.field, "integer" if filter_.type is int else "string", filter_.meaning
    )
    if filter_.type is Raw:
        field |= {"content": {"application/json": {"schema": {"type": "object"}}}}
    return field


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with its own definitions in place, since a body has no components section."""
    definitions = schema.pop("$defs", {})

    def resolve(part: Any) -> Any:
        if isinstance(part, dict):
            if name := part.get("$ref", "").rpartition("/")[2]:
                return resolve(definitions[name])
            return {key: resolve(value) for key, value in part.items()}
        return [resolve(each) for each in part] if isinstance(part, list) else part

    resolved: dict[str, Any] = resolve(schema)
    return resolved
