"""What each tool does, asked by a real client over HTTP."""

from typing import Any

import pytest
from mcp.client.client import Client

from memferry.mcp.answers import ANSWER_CHARACTERS, PIECE_CHARACTERS
from memferry.mcp.tool import describe_arguments
from memferry.mcp.tools import TOOLS
from support.mcp_clients import call, connect_by_http, try_call
from support.people import Person

_TEXT = 'null {"a": 1}\r\n\u2028 \U0001f375 e\u0301'
_PAST = "2020-01-01"


async def test_a_memory_is_saved_word_for_word(alice: Person) -> None:
    async with connect_by_http(alice) as client:
        for text in (_TEXT, "null", '["x"]', "true"):
            saved = await call(client, "save_memory", content=text, namespace="null")

            row = alice.get(f"/api/memories/{saved['id']}").json()
            assert (row["content"], row["namespace"], row["source"]) == (text, "null", "mcp")


async def test_lists_and_objects_may_come_as_json_text(alice: Person) -> None:
    async with connect_by_http(alice) as client:
        saved = await call(client, "save_memory", content="x", tags='["a"]', metadata='{"b": 1}')

    row = alice.get(f"/api/memories/{saved['id']}").json()
    assert (row["tags"], row["metadata"]) == (["a"], {"b": 1})


async def test_an_unknown_argument_is_refused_by_name(alice: Person) -> None:
    async with connect_by_http(alice) as client:
        failed, text = await try_call(client, "search_memories", query="tea", project="x")

    assert failed
    assert text.startswith("invalid: project: unknown field")


async def test_a_search_filters_by_all_that_is_given(alice: Person) -> None:
    hit = alice.save("tea", namespace="a", tags=["x", "y"], metadata={"n": {"m": 1}})
    alice.save("tea", namespace="b", tags=["x"])
    filters: dict[str, Any] = {
        "namespace": "a", "tags": ["y"], "metadata_filter": {"n": {"m": 1}},
        "created_after": _PAST,
    }  # fmt: skip
    async with connect_by_http(alice) as client:
        found = await call(client, "search_memories", query="tea", **filters)
        before = await call(client, "search_memories", query="tea", created_before=_PAST)

    assert [memory["id"] for memory in found["memories"]] == [hit["id"]]
    assert before["memories"] == []


async def test_a_list_is_paged_to_its_end(alice: Person) -> None:
    ids = {alice.save(f"memory {number}")["id"] for number in range(5)}
    async with connect_by_http(alice) as client:
        pages = await _read_pages(client, "list_memories", limit=2)

    assert [len(page["memories"]) for page in pages] == [2, 2, 1]
    assert {memory["id"] for page in pages for memory in page["memories"]} == ids
    assert pages[0]["total"] == 5


async def test_a_long_memory_is_cut_in_lists_and_read_in_pieces(alice: Person) -> None:
    text = "".join(f"word{number} " for number in range(8000))
    row = alice.save(text, metadata={"long": text})
    async with connect_by_http(alice) as client:
        (listed,) = (await call(client, "list_memories"))["memories"]
        piece = await call(client, "get_memory", id=row["id"])
        pieces = [piece["content"]]
        while "next_offset" in piece:
            piece = await call(client, "get_memory", id=row["id"], offset=piece["next_offset"])
            pieces.append(piece["content"])

    assert listed["cut"] == ["content", "metadata"]
    assert piece["cut"] == ["metadata"]
    assert "".join(pieces) == text
    assert {len(part) for part in pieces[:-1]} == {PIECE_CHARACTERS}


async def test_an_answer_stays_short_however_long_memories_are(alice: Person) -> None:
    alice.save_many([{"content": "x" * 20_000, "tags": ["t" * 500] * 100}] * 50)
    async with connect_by_http(alice) as client:
        _, text = await try_call(client, "list_memories", limit=50)

    assert len(text) < 2 * ANSWER_CHARACTERS


async def test_an_update_changes_what_is_given_and_history_shows_it(alice: Person) -> None:
    row = alice.save("Likes tea.", tags=["a"], metadata={"b": 1, "c": 2})
    async with connect_by_http(alice) as client:
        await call(client, "update_memory", id=row["id"], content="null", metadata={"b": None})
        changes = (await call(client, "get_history", id=row["id"]))["changes"]

    changed = alice.get(f"/api/memories/{row['id']}").json()
    assert (changed["content"], changed["tags"], changed["metadata"]) == ("null", ["a"], {"c": 2})
    assert [change["kind"] for change in changes] == ["create", "content_edit"]
    assert changes[1]["before"]["content"] == "Likes tea."


async def test_a_memory_may_expire(alice: Person) -> None:
    async with connect_by_http(alice) as client:
        saved = await call(client, "save_memory", content="tea", expires_at="2100-01-01")
        memory = await call(client, "get_memory", id=saved["id"])
        changed = await call(client, "update_memory", id=saved["id"], expires_at=None)
        failed, text = await try_call(client, "save_memory", content="x", expires_at="2020-01-01")

    assert memory["expires_at"] == "2100-01-01T00:00:00.000Z"
    assert "expires_at" not in changed
    assert failed
    assert text.startswith("invalid: expires_at")


async def test_a_deleted_memory_is_gone_and_says_how_to_find_others(alice: Person) -> None:
    row = alice.save("secret")
    async with connect_by_http(alice) as client:
        await call(client, "delete_memory", id=row["id"])
        failed, text = await try_call(client, "get_memory", id=row["id"])

    assert failed
    assert text.startswith("memory_not_found: ")
    assert "search_memories" in text


async def test_namespaces_and_threads_are_listed_and_read(alice: Person) -> None:
    for number in (1, 0):
        metadata = {"parent_ref": "a/b:c", "chunk_index": number}
        alice.save(f"piece {number}", namespace=f"n{number}", metadata=metadata)
    async with connect_by_http(alice) as client:
        namespaces = await _read_pages(client, "list_namespaces", limit=1)
        threads = (await call(client, "list_threads", namespace="n0"))["threads"]
        pages = await _read_pages(client, "read_thread", ref=threads[0]["ref"], limit=1)

    assert [page["namespaces"][0]["name"] for page in namespaces] == ["n0", "n1"]
    assert [page["memories"][0]["content"] for page in pages] == ["piece 0", "piece 1"]


async def test_an_export_is_read_in_pieces_and_its_bytes_are_exact(alice: Person) -> None:
    alice.save_many([{"content": f"{_TEXT} {number} {'x' * 500}"} for number in range(60)])
    async with connect_by_http(alice) as client:
        answer = await call(client, "export_memories", format="csv")
        text = answer["content"]
        while "next_offset" in answer:
            offset = answer["next_offset"]
            answer = await call(client, "get_export", id=answer["id"], offset=offset)
            text += answer["content"]

    assert text == alice.get(f"/api/memories/exports/{answer['id']}").json()["payload"]


async def test_a_queued_export_is_shown_with_its_link(alice: Person) -> None:
    alice.save("tea")
    async with connect_by_http(alice) as client:
        answer = await call(client, "export_memories", format="okf")
        alice.wait_for({"id": answer["id"], "status": answer["status"]})
        answer = await call(client, "get_export", id=answer["id"])

    assert answer["status"] == "completed"
    assert answer["download_url"].startswith(str(alice.base_url))


async def test_rows_and_text_are_imported_and_a_dry_run_saves_nothing(alice: Person) -> None:
    rows = [{"content": _TEXT, "tags": ["a"]}, {"content": "two"}]
    async with connect_by_http(alice) as client:
        tried = await call(client, "import_memories", rows=rows, dry_run=True)
        assert alice.get("/api/memories").json() == []
        done = await call(client, "import_memories", rows=rows, namespace="n")
        pasted = await call(
            client, "import_memories", text="- Likes tea.\n- Has a dog.", format="paste"
        )
        looked_up = await call(client, "get_import", id=pasted["id"])

    assert tried["report"]["created"] == done["report"]["created"] == 2
    assert looked_up == pasted
    contents = {row["content"] for row in alice.get("/api/memories").json()}
    assert contents == {_TEXT, "two", "Likes tea.", "Has a dog."}


async def test_a_rejected_record_is_named(alice: Person) -> None:
    async with connect_by_http(alice) as client:
        answer = await call(client, "import_memories", rows=[{"content": "x"}, {"x": "y"}])

    assert answer["status"] == "failed"
    assert answer["report"]["rejections"][0]["reason"]


@pytest.mark.parametrize(
    ("tool", "arguments", "field"),
    [
        ("list_memories", {"limit": 51}, "limit"),
        ("list_memories", {"limit": 0}, "limit"),
        ("list_memories", {"limit": "5"}, "limit"),
        ("list_memories", {"created_after": "yesterday"}, "created_after"),
        ("list_memories", {"cursor": "x"}, "cursor"),
        ("list_memories", {"order": "best"}, "order"),
        ("get_memory", {}, "id"),
        ("get_export", {"id": "x", "offset": -1}, "offset"),
        ("list_namespaces", {"offset": -1}, "offset"),
        ("import_memories", {}, "text"),
        ("import_memories", {"text": "x", "rows": []}, "text"),
        ("save_memory", {"content": "a\x00b"}, "content"),
        ("search_memory", {}, "name"),
    ],
)
async def test_what_is_wrong_is_named(
    alice: Person, tool: str, arguments: dict[str, Any], field: str
) -> None:
    async with connect_by_http(alice) as client:
        failed, text = await try_call(client, tool, **arguments)

    assert failed
    assert field in text


def test_each_tool_is_described_to_models() -> None:
    for tool in TOOLS.values():
        assert tool.__doc__
        for field in describe_arguments(tool)["properties"].values():
            assert field["description"]


async def _read_pages(client: Client, tool: str, **arguments: Any) -> list[dict[str, Any]]:
    """All pages of a list."""
    pages = [await call(client, tool, **arguments)]
    while place := {
        name: pages[-1][f"next_{name}"]
        for name in ("cursor", "offset")
        if f"next_{name}" in pages[-1]
    }:
        pages.append(await call(client, tool, **arguments, **place))
    return pages
