"""A thread's output on the loop: whole, bounded, and given up when nobody reads."""

import asyncio

import pytest

from lading.aio.outflow import Abandoned, Outflow


def test_everything_comes_in_order() -> None:
    def work(flow: Outflow[str]) -> None:
        flow.announce("head")
        for number in range(1000):
            flow.push(b"%d " % number)

    async def read() -> tuple[str, bytes]:
        flow = Outflow(work, "test")
        return await flow.head(), b"".join([piece async for piece in flow.pieces()])

    head, data = asyncio.run(read())
    assert head == "head"
    assert data.split() == [b"%d" % number for number in range(1000)]


def test_a_slow_reader_slows_the_thread() -> None:
    pushed: list[int] = []

    def work(flow: Outflow[None]) -> None:
        flow.announce(None)
        for number in range(100):
            flow.push(bytes(1 << 20))
            pushed.append(number)

    async def look() -> int:
        flow = Outflow(work, "test")
        await flow.head()
        for _ in range(50):
            await asyncio.sleep(0.002)
        held = len(pushed)
        await flow.close()
        return held

    assert 0 < asyncio.run(look()) < 10


def test_closing_ends_the_thread_in_the_middle() -> None:
    reasons: list[BaseException] = []

    def work(flow: Outflow[None]) -> None:
        flow.announce(None)
        try:
            while True:
                flow.push(bytes(1 << 16))
        except BaseException as error:
            reasons.append(error)
            raise

    async def leave() -> None:
        flow = Outflow(work, "endless")
        await flow.head()
        async for _ in flow.pieces():
            break
        await flow.close()

    asyncio.run(leave())
    assert [type(reason) for reason in reasons] == [Abandoned]


@pytest.mark.parametrize("announced", [True, False])
def test_what_the_thread_raises_is_raised_here(announced: bool) -> None:
    def work(flow: Outflow[None]) -> None:
        if announced:
            flow.announce(None)
            flow.push(b"first")
        raise FileNotFoundError

    async def read() -> None:
        flow = Outflow(work, "test")
        try:
            await flow.head()
            assert announced
            assert [piece async for piece in flow.pieces()] == [b"first"]
        finally:
            await flow.close()

    with pytest.raises(FileNotFoundError):
        asyncio.run(read())
