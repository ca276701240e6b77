"""The API's description for people, from the OpenAPI document; loads nothing from elsewhere."""

import re
from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.responses import HTMLResponse

_CODE = re.compile(r"`([^`]+)`")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b1f24; background: #fff }}
h2 {{ font: 600 1rem ui-monospace, monospace; margin: 2rem 0 .25rem; border-top: 1px solid #d0d7de;
  padding-top: 1rem }}
code {{ font: .9em ui-monospace, monospace; background: #f3f4f6; padding: .1em .3em }}
table {{ border-collapse: collapse; font-size: .9rem }}
td {{ padding: .1rem 1rem .1rem 0; vertical-align: top }}
b {{ color: #0550ae }}
@media (prefers-color-scheme: dark) {{ body {{ color: #e6edf3; background: #0d1117 }}
  code {{ background: #21262d }} b {{ color: #79c0ff }} h2 {{ border-color: #30363d }} }}
</style></head><body><h1>{title}</h1><p>{description} The same as
<a href="/openapi.json">OpenAPI</a>, for programs.</p>{operations}</body></html>
"""


def reference_routes(app: FastAPI) -> APIRouter:
    """The page at /docs."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def reference() -> HTMLResponse:
        """All addresses, what they take and what they answer."""
        described = app.openapi()
        page = _PAGE.format(
            title=f"{described['info']['title']} {described['info']['version']}",
            description=escape(described["info"]["description"]),
            operations="".join(_operations(described)),
        )
        return HTMLResponse(page)

    return router


def _operations(document: dict[str, Any]) -> Iterator[str]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"<h2><b>{method.upper()}</b> {escape(path)}</h2>"
            yield f"<p>{_text(operation.get('description', ''))}</p><table>"
            for name, meaning in _fields(operation):
                yield f"<tr><td><code>{escape(name)}</code><td>{_text(meaning)}</tr>"
            for status, answer in sorted(operation["responses"].items()):
                yield f"<tr><td>{status}<td>{escape(answer['description'])}</tr>"
            yield "</table>"


def _fields(operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields of the query string and of the body, with what they mean."""
    for each in operation.get("parameters", []):
        yield each["name"], each.get("description", f"in the {each['in']}")
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    for name, kind in schema.get("properties", {}).items():
        kinds = [each.get("type", "") for each in kind.get("anyOf", [kind])]
        required = "required" if name in schema.get("required", []) else ""
        parts = (required, " or ".join(filter(None, kinds)), kind.get("description", ""))
        yield name, "; ".join(filter(None, parts))


def _text(text: str) -> str:
    """Text with `code` in it."""
    return _CODE.sub(r"<code>\1</code>", escape(text))
