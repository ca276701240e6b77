"""One item ahead: it is made while the one before is used, and faults stay in their place."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from memferry.exports.read.ahead import read_ahead


class Maker:
    """Makes numbers, and notes how far it came; raises for the one that it is told."""

    def __init__(self, fails_at: int = -1) -> None:
        self.made: list[int] = []
        self._fails_at = fails_at

    async def make(self) -> AsyncGenerator[int, None]:
        for number in range(3):
            if number == self._fails_at:
                raise ValueError(number)
            self.made.append(number)
            yield number


async def test_the_next_item_is_made_while_one_is_used() -> None:
    maker, ahead = Maker(), []
    async for number in read_ahead(maker.make()):
        await asyncio.sleep(0.01)
        ahead.append((number, list(maker.made)))

    assert ahead == [(0, [0, 1]), (1, [0, 1, 2]), (2, [0, 1, 2])]


async def test_a_fault_comes_after_the_items_before_it() -> None:
    items = read_ahead(Maker(fails_at=2).make())

    assert [await anext(items), await anext(items)] == [0, 1]
    with pytest.raises(ValueError, match="2"):
        await anext(items)


async def test_to_close_it_ends_what_is_being_made() -> None:
    waiting, ended = asyncio.Event(), asyncio.Event()

    async def make() -> AsyncGenerator[int, None]:
        yield 0
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    items = read_ahead(make())
    await anext(items)
    await waiting.wait()
    await items.aclose()

    assert ended.is_set()


async def test_to_close_it_closes_what_makes_the_items() -> None:
    closed = asyncio.Event()

    async def make() -> AsyncGenerator[int, None]:
        try:
            yield 0
            yield 1
            yield 2
        finally:
            closed.set()

    items = read_ahead(make())
    await anext(items)
    await asyncio.sleep(0)
    await items.aclose()

    assert closed.is_set()


async def test_what_was_never_begun_is_closed_at_once() -> None:
    maker = Maker()
    await read_ahead(maker.make()).aclose()

    assert maker.made == []
