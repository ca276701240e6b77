"""The requests that the reference shows, in the order in which they run; one per operation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_MORNING_MS = 1_767_254_400_000
_DAY_MS = 24 * 3600 * 1000
RECEIVER = "<receiver>"
"""The address that webhooks of the examples are sent to."""


@dataclass(frozen=True)
class Example:
    """One request. `<name>` in it stands for a value that an earlier answer gave."""

    address: str
    """The method, and the path with its query: `GET /api/memories/<tea>?…`."""
    body: Any = None
    """What is sent as JSON, or a file as text."""
    headers: tuple[str, ...] = ()
    options: str = ""
    """More options of curl."""
    public: bool = False
    """Whether it needs no token."""
    keep: Mapping[str, str] = field(default_factory=dict)
    """Names of values, each with its place in the answer: `ids.0`."""


_LINE = '{"id": "note-1", "content": "Swims on Tuesdays.", "namespace": "sport"}'
# Any key of age: nobody has to read what is encrypted to it.
_AGE_KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
_ROWS = [
    {
        "content": "Prefers the window seat.",
        "namespace": "travel",
        "tags": ["train"],
        "created_at": _MORNING_MS,
    },
    {
        "content": "Prefers the window seat.",
        "namespace": "travel",
        "created_at": _MORNING_MS + _DAY_MS,
    },
    {
        "content": "The ferry leaves at nine.",
        "namespace": "travel",
        "metadata": {"parent_ref": "trip-7", "chunk_index": 0},
        "created_at": _MORNING_MS + 2 * _DAY_MS,
    },
    {"content": ""},
]

EXAMPLES = (
    Example("GET /api/health", public=True),
    Example("GET /api/health/ready", public=True),
    Example("POST /v1/memories/bulk", {"items": _ROWS}, keep={"seat": "ids.0"}),
    Example("GET /api/overview"),
    Example("GET /api/threads?namespace=travel&limit=1", keep={"thread": "0.parent_ref"}),
    Example("GET /api/threads/<thread>"),
    Example(
        "POST /api/memories",
        {
            "content": "Likes tea.",
            "namespace": "drinks",
            "tags": ["taste"],
            "metadata": {"confidence": 0.9},
        },
        keep={"tea": "id"},
    ),
    Example("GET /api/memories?namespace=drinks&tags=taste&limit=10"),
    Example(
        "POST /api/memories/list",
        {"metadata_filter": {"confidence": 0.9}, "order": "newest", "limit": 10},
    ),
    Example("POST /api/memories/search", {"query": "which seat?", "k": 1}),
    Example("POST /api/memories/search/bulk", {"queries": ["tea", "skates"], "k": 1}),
    Example("GET /api/recall/unified?q=ferry&limit=1"),
    Example("GET /api/memories/<tea>"),
    Example("PATCH /api/memories/<tea>", {"content": "Likes green tea.", "metadata": {"cups": 2}}),
    Example("GET /api/memories/<tea>/history"),
    Example("POST /api/memories/<tea>/restore", {"version": 1}),
    Example(
        "PUT /api/memories/batch",
        {"updates": [{"id": "<seat>", "tags": ["train", "seat"]}, {"id": "none", "tags": []}]},
    ),
    Example("GET /api/memories/duplicates?namespace=travel"),
    Example("GET /api/namespaces?limit=10"),
    Example("POST /api/memories/exports/estimate", {"format": "ndjson", "namespace": "drinks"}),
    Example(
        "POST /api/memories/exports",
        {"format": "ndjson", "tags": ["taste"]},
        headers=("Idempotency-Key: 7f3e",),
        keep={"export": "id"},
    ),
    Example("GET /api/memories/exports/<export>/manifest"),
    Example("GET /api/keys", public=True),
    Example(
        "POST /api/memories/exports",
        {"format": "ndjson", "encrypt_to": _AGE_KEY},
        keep={"encrypted": "id"},
    ),
    Example("GET /api/memories/exports/<encrypted>", keep={"link": "download_url"}),
    Example("GET /downloads/<link>", options="-r 0-20", public=True),
    Example("GET /api/memories/exports?limit=1"),
    Example("DELETE /api/memories/exports/<encrypted>"),
    Example(
        "POST /api/memories/imports?name=notes.ndjson&tags=moved",
        _LINE,
        headers=("Content-Type: application/x-ndjson",),
        keep={"import": "id"},
    ),
    Example("GET /api/memories/imports/<import>"),
    Example("GET /api/memories/imports?limit=1"),
    Example("DELETE /api/memories/imports/<import>"),
    Example(
        "POST /api/projects",
        {"name": "client-acme", "description": "Notes of the Acme work.", "retention_days": 365},
        keep={"project": "id"},
    ),
    Example("GET /api/projects?limit=1"),
    Example("GET /api/projects/<project>"),
    Example("PATCH /api/projects/<project>", {"name": "acme", "retention_days": None}),
    Example("DELETE /api/projects/<project>?purge_exports=true"),
    Example(
        "POST /api/webhooks",
        {"url": RECEIVER, "events": ["memory.deleted"]},
        keep={"webhook": "id"},
    ),
    Example("GET /api/webhooks"),
    Example("GET /api/webhooks/<webhook>"),
    Example("PUT /api/webhooks/<webhook>", {"description": "the chat of the team"}),
    Example("DELETE /api/memories/<tea>?purge_exports=true"),
    Example("GET /api/webhooks/<webhook>/deliveries?limit=1"),
    Example("DELETE /api/webhooks/<webhook>"),
    Example("DELETE /api/memories/batch", {"ids": ["<seat>", "<tea>"]}),
    Example("GET /api/auth/me"),
    Example(
        "POST /api/tokens",
        {"name": "laptop", "scopes": ["memories:read"], "namespaces": ["travel"]},
        keep={"token": "id"},
    ),
    Example("POST /api/auth/tokens", {"name": "phone"}),
    Example("GET /api/tokens?limit=10"),
    Example("GET /api/tokens/<token>"),
    Example("DELETE /api/tokens/<token>"),
    Example("GET /api/audit?event=token.revoked&limit=1"),
    Example("GET /api/limits"),
)
