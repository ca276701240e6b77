"""Prompts and resources, which people pick in their programs."""

import pytest
from mcp import MCPError
from mcp_types import TextContent, TextResourceContents

from support.mcp_clients import connect_by_http
from support.people import Person


async def test_recall_brings_the_hits_into_the_conversation(alice: Person) -> None:
    row = alice.save("Drinks tea at noon.")
    async with connect_by_http(alice) as client:
        names = [prompt.name for prompt in (await client.list_prompts()).prompts]
        (message,) = (await client.get_prompt("recall", {"topic": "tea"})).messages

    assert names == ["remember", "recall"]
    assert isinstance(message.content, TextContent)
    assert row["id"] in message.content.text


async def test_remember_holds_the_text_word_for_word(alice: Person) -> None:
    async with connect_by_http(alice) as client:
        (message,) = (await client.get_prompt("remember", {"text": "a {b} %s"})).messages

    assert isinstance(message.content, TextContent)
    assert "\n\na {b} %s\n\n" in message.content.text


@pytest.mark.parametrize(
    ("name", "arguments"), [("recall", {}), ("recall", {"topic": " "}), ("forget", {})]
)
async def test_a_wrong_prompt_is_refused(
    alice: Person, name: str, arguments: dict[str, str]
) -> None:
    async with connect_by_http(alice) as client:
        with pytest.raises(MCPError, match="invalid"):
            await client.get_prompt(name, arguments)


async def test_a_memory_and_a_thread_are_read_as_text(alice: Person) -> None:
    text = "  e\u0301\r\nend "
    row = alice.save(text)
    for number in (1, 0):
        alice.save(f"piece {number}", metadata={"parent_ref": "a/b c", "chunk_index": number})
    async with connect_by_http(alice) as client:
        listed = (await client.list_resources()).resources
        contents = [
            (await client.read_resource(uri)).contents[0]
            for uri in (f"memferry://memory/{row['id']}", "memferry://thread/a%2Fb%20c")
        ]

    assert f"memferry://memory/{row['id']}" in [str(resource.uri) for resource in listed]
    texts = [part.text for part in contents if isinstance(part, TextResourceContents)]
    assert texts == [text, "piece 0\n\npiece 1"]


async def test_another_tenants_memory_is_no_resource(alice: Person, bob: Person) -> None:
    row = bob.save("tea")
    async with connect_by_http(alice) as client:
        listed = (await client.list_resources()).resources
        with pytest.raises(MCPError, match="memory_not_found"):
            await client.read_resource(f"memferry://memory/{row['id']}")

    assert listed == []


@pytest.mark.parametrize("uri", ["memferry://file/etc/passwd", "file:///etc/passwd"])
async def test_another_address_is_refused(alice: Person, uri: str) -> None:
    async with connect_by_http(alice) as client:
        with pytest.raises(MCPError, match="invalid: uri"):
            await client.read_resource(uri)
