"""The page of the demo: a tenant with the sample and some exports, to look at."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Raw

from memferry.client.calls import Call
from memferry.client.client import Client
from memferry.demo.service import DemoService
from memferry.model.token import SCOPES

_EXPORTS: tuple[dict[str, object], ...] = (
    {"format": "ndjson"},
    {"format": "csv", "namespace": "travel", "csv_safe": True},
    {"format": "markdown", "namespace": "recipes-family"},
)


@dataclass(frozen=True)
class Invitation:
    """How a browser gets in: a link that is good once, and the token behind it."""

    link: str
    token: str


def prepare_page(service: DemoService, memories: Sequence[Raw]) -> Invitation:
    """Fill a tenant with the memories and some work, and invite to look at it."""
    tenant = service.name_tenant("page")
    token = service.create_token(tenant, SCOPES)
    with Client(service.url, token) as client:
        client.call(Call("POST", "/v1/memories/bulk", {"items": list(memories)}), dict)
        for request in _EXPORTS:
            client.call(Call("POST", "/api/memories/exports", request), dict)
    return Invitation(service.create_link(tenant, SCOPES), token)
