"""Resources, which a person attaches to a conversation: a memory, or a whole thread."""

from dataclasses import dataclass
from urllib.parse import unquote

from memferry.client import AsyncClient
from memferry.errors import Invalid

MEMORY, THREAD = "memferry://memory/", "memferry://thread/"
_LISTED = 50
_THREAD_PIECES, _THREAD_CHARACTERS = 200, 200_000
_NAME_CHARACTERS = 80


@dataclass(frozen=True)
class ListedResource:
    """One resource of a list."""

    uri: str
    name: str


async def list_resources(client: AsyncClient) -> list[ListedResource]:
    """List the memories that were changed last."""
    rows = client.memories.list(limit=_LISTED)
    return [ListedResource(f"{MEMORY}{row.id}", _name(row.content)) async for row in rows]


async def read_resource(client: AsyncClient, uri: str) -> str:
    """Read the text of a memory or of a thread; raises Invalid for another address."""
    if uri.startswith(MEMORY):
        return (await client.memories.get(unquote(uri.removeprefix(MEMORY)))).content
    if uri.startswith(THREAD):
        return await _read_thread(client, unquote(uri.removeprefix(THREAD)))
    raise Invalid("uri", f"expected {MEMORY}ID or {THREAD}REF")


async def _read_thread(client: AsyncClient, reference: str) -> str:
    """Join the pieces of a thread, as many as have room; the last line says if there are more."""
    pieces, characters = list[str](), 0
    async for row in client.threads.get(reference, limit=_THREAD_PIECES + 1):
        characters += len(row.content)
        if len(pieces) == _THREAD_PIECES or (pieces and characters > _THREAD_CHARACTERS):
            pieces.append("[There is more: the tool read_thread shows it page by page.]")
            break
        pieces.append(row.content)
    return "\n\n".join(pieces)


def _name(content: str) -> str:
    line = " ".join(content[: 2 * _NAME_CHARACTERS].split())
    return line[:_NAME_CHARACTERS] or "(white space)"
