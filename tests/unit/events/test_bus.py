"""Publishing and listening."""

import asyncio

from lading.events import Bus
from lading.filters import Filters


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        self.now += 1
        return self.now


def test_the_past_is_bounded_in_number_and_time() -> None:
    bus = Bus(Clock())
    for number in range(1500):
        bus.publish("container", "start", str(number), {})
    past = bus.past(None, None)
    assert [message.actor_id for message in past] == [str(number) for number in range(476, 1500)]
    first, last = past[10].time_ns, past[20].time_ns
    assert bus.past(first, last) == past[10:21]


async def _take(bus: Bus, count: int, since: int | None, filters: Filters) -> list[str]:
    heard = []
    async for message in bus.listen(since, None, filters):
        heard.append(message.actor_id)
        if len(heard) == count:
            break
    return heard


def test_a_listener_hears_the_past_it_asked_for_and_then_the_news() -> None:
    async def scene() -> list[str]:
        bus = Bus(Clock())
        bus.publish("container", "start", "a", {})
        asked = bus.publish("container", "start", "b", {})
        listener = asyncio.create_task(_take(bus, 2, asked.time_ns, Filters({"type": ["container"]})))
        await asyncio.sleep(0)
        bus.publish("image", "pull", "i", {})
        bus.publish("container", "die", "c", {})
        return await listener

    assert asyncio.run(scene()) == ["b", "c"]


def test_without_a_time_only_news_is_told() -> None:
    async def scene() -> list[str]:
        bus = Bus(Clock())
        bus.publish("container", "start", "a", {})
        listener = asyncio.create_task(_take(bus, 1, None, Filters()))
        await asyncio.sleep(0)
        bus.publish("container", "start", "b", {})
        return await listener

    assert asyncio.run(scene()) == ["b"]


def test_listening_ends_at_the_time_asked_for() -> None:
    async def scene() -> list[str]:
        bus = Bus()
        first = bus.publish("container", "start", "a", {})
        return [message.actor_id async for message in bus.listen(None, first.time_ns + 20_000_000)]

    assert asyncio.run(scene()) == ["a"]


def test_a_listener_that_does_not_listen_is_cut_off_and_holds_nobody_up() -> None:
    async def scene() -> tuple[int, list[str]]:
        bus = Bus()
        sleeper = bus.subscribe()
        async with bus.subscribe() as awake:
            for number in range(5000):
                bus.publish("container", "start", str(number), {})
                assert (await anext(awake)).actor_id == str(number)
        return len([message async for message in sleeper]), [m.actor_id for m in bus.past(None, None)[-1:]]

    assert asyncio.run(scene()) == (1024, ["4999"])


def test_one_who_left_is_told_nothing() -> None:
    async def scene() -> list[str]:
        bus = Bus()
        async with bus.subscribe() as subscription:
            bus.publish("container", "start", "a", {})
        bus.publish("container", "start", "b", {})
        return [message.actor_id async for message in subscription]

    assert asyncio.run(scene()) == ["a"]
