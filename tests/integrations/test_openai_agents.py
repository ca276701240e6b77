"""A session of the OpenAI Agents SDK."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage
from agents.memory import Session
from agents.memory.session_settings import SessionSettings
from openai.types.responses import ResponseOutputMessage, ResponseOutputText

from memferry.client import AsyncClient, Client
from memferry.errors import Invalid
from memferry.integrations.openai_agents import MemferrySession
from support.people import Person

_EXACT: Any = {"role": "user", "content": "\u0000 \u2028 \U0001f375", "n": [1, 1.0, 1e22, None, {}]}


@pytest.fixture(params=["waiting", "awaited"])
async def client(
    request: pytest.FixtureRequest, alice: Person
) -> AsyncIterator[AsyncClient | Client]:
    url = str(alice.base_url)
    if request.param == "waiting":
        with Client(url, alice.token) as client:
            yield client
    else:
        async with AsyncClient(url, alice.token) as async_client:
            yield async_client


def _make_items(start: int, end: int) -> list[Any]:
    return [{"role": "user", "content": f"message {number}"} for number in range(start, end)]


async def test_items_come_back_in_order_and_exactly(client: AsyncClient | Client) -> None:
    session = MemferrySession("a/b c", client)
    await session.add_items([_EXACT, *_make_items(0, 500)])
    await session.add_items(_make_items(500, 530))

    assert isinstance(session, Session)
    assert repr(await session.get_items()) == repr([_EXACT, *_make_items(0, 530)])
    assert await session.get_items(limit=2) == _make_items(528, 530)
    assert await session.get_items(limit=0) == []


@pytest.mark.parametrize("settings", [SessionSettings(limit=1), {"limit": 1}])
async def test_the_settings_of_a_session_limit_it(
    client: AsyncClient | Client, settings: Any
) -> None:
    session = MemferrySession("s", client, session_settings=settings)
    await session.add_items(_make_items(0, 3))

    assert await session.get_items() == _make_items(2, 3)
    assert await session.get_items(limit=2) == _make_items(1, 3)


async def test_a_session_without_settings_has_no_limit(client: AsyncClient | Client) -> None:
    assert MemferrySession("s", client).session_settings == SessionSettings(limit=None)


async def test_an_unknown_setting_is_refused(client: AsyncClient | Client) -> None:
    with pytest.raises(TypeError, match="limitt"):
        MemferrySession("s", client, session_settings={"limitt": 1})


async def test_an_edited_memory_that_is_no_item_is_left_out(
    client: AsyncClient | Client, alice: Person
) -> None:
    session = MemferrySession("s", client)
    await session.add_items(_make_items(0, 5))
    edited = alice.get("/api/memories").json()[:2]
    for row, text in zip(edited, ("no JSON", "[]"), strict=True):
        alice.patch(f"/api/memories/{row['id']}", json={"content": text})

    assert await session.get_items() == _make_items(0, 3)
    assert await session.get_items(limit=2) == _make_items(1, 3)
    assert await session.pop_item() == _make_items(2, 3)[0]
    assert len(alice.get("/api/memories").json()) == 4


async def test_the_latest_item_is_popped_once(client: AsyncClient | Client) -> None:
    session = MemferrySession("s", client)
    await session.add_items(_make_items(0, 4))
    popped = await asyncio.gather(*(session.pop_item() for _ in range(3)))

    assert sorted(popped, key=str) == _make_items(1, 4)
    assert await session.get_items() == _make_items(0, 1)
    await session.pop_item()
    assert await session.pop_item() is None


async def test_a_cleared_session_is_empty_and_others_stay(
    client: AsyncClient | Client, alice: Person
) -> None:
    session = MemferrySession("s", client)
    others = [MemferrySession("t", client), MemferrySession("s", client, namespace="other")]
    note = alice.save("a note", namespace="openai_agents", metadata={"parent_ref": "s"})
    await session.add_items(_make_items(0, 600))
    for other in others:
        await other.add_items(_make_items(0, 1))
    await session.clear_session()

    assert await session.get_items() == []
    assert [await other.get_items() for other in others] == [_make_items(0, 1)] * 2
    assert alice.get(f"/api/memories/{note['id']}").is_success


async def test_of_items_one_of_which_cannot_be_saved_none_is(client: AsyncClient | Client) -> None:
    session = MemferrySession("s", client)
    items: list[Any] = [*_make_items(0, 1), {"content": "x" * 1_100_000}]
    with pytest.raises(Invalid, match=r"^items\[1\]: "):
        await session.add_items(items)

    assert await session.get_items() == []


async def test_a_run_of_an_agent_sees_the_runs_before_it(client: AsyncClient | Client) -> None:
    model = EchoModel()
    agent = Agent(name="echo", model=model)
    config = RunConfig(tracing_disabled=True)
    for text in ("one", "two"):
        session = MemferrySession("run", client)
        result = await Runner.run(agent, text, session=session, run_config=config)

    assert result.final_output == "answer 3"
    assert model.inputs == [["one"], ["one", "answer 1", "two"]]


def test_a_client_that_waits_serves_runs_in_one_event_loop_after_the_other(alice: Person) -> None:
    model = EchoModel()
    agent = Agent(name="echo", model=model)
    config = RunConfig(tracing_disabled=True)
    with Client(str(alice.base_url), alice.token) as client:
        session = MemferrySession("loops", client)
        for text in ("one", "two"):
            asyncio.run(Runner.run(agent, text, session=session, run_config=config))

    assert model.inputs == [["one"], ["one", "answer 1", "two"]]


class EchoModel(Model):
    """A model without a network, which answers how many items it was given."""

    def __init__(self) -> None:
        self.inputs: list[list[str]] = []

    async def get_response(self, *arguments: Any, **named: Any) -> ModelResponse:
        items = named["input"] if "input" in named else arguments[1]
        self.inputs.append([_read_text(item) for item in items])
        text = ResponseOutputText(
            type="output_text", text=f"answer {len(items)}", annotations=[], logprobs=[]
        )
        message = ResponseOutputMessage(
            id="m", type="message", role="assistant", status="completed", content=[text]
        )
        return ModelResponse(output=[message], usage=Usage(), response_id=None)

    def stream_response(self, *_arguments: Any, **_named: Any) -> AsyncIterator[Any]:
        raise NotImplementedError


def _read_text(item: Any) -> str:
    content = item["content"]
    return str(content if isinstance(content, str) else content[0]["text"])


async def test_a_session_is_a_thread_in_its_order(
    client: AsyncClient | Client, alice: Person
) -> None:
    await MemferrySession("chat 1", client).add_items(_make_items(0, 3))
    chunks = alice.get("/api/threads/chat%201").json()["chunks"]

    assert [f"message {number}" in chunk["content"] for number, chunk in enumerate(chunks)]
    assert len(chunks) == 3
