"""Publishing and listening. Nothing here waits for a listener."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Self

from lading.events.match import matches
from lading.events.message import Message
from lading.filters import Filters
from lading.units import NANOSECOND, now_ns

REMEMBERED = 1024
"""How many of the last messages are kept for clients that ask for the past, as in dockerd."""

_WAITING = 1024
_EVERYTHING = Filters()


class Subscription:
    """What one listener has not heard yet: an async iterator, to be left with `async with`.

    One that falls too far behind is cut off: it still gives what it holds, then ends.
    """

    def __init__(self, leave: "Callable[[Subscription], None]") -> None:
        self._leave = leave
        self._waiting: deque[Message] = deque()
        self._news = asyncio.Event()
        self._cut = False

    def offer(self, message: Message) -> None:
        """Called by the bus."""
        if len(self._waiting) >= _WAITING:
            self.cut()
            return
        self._waiting.append(message)
        self._news.set()

    def cut(self) -> None:
        """Takes nothing more."""
        self._leave(self)
        self._cut = True
        self._news.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        while not self._waiting:
            if self._cut:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()


class Bus:
    """All news of one engine, in the order it happened."""

    def __init__(self, clock: Callable[[], int] = now_ns) -> None:
        self._clock = clock
        self._past: deque[Message] = deque(maxlen=REMEMBERED)
        self._subscriptions: set[Subscription] = set()

    def publish(
        self, kind: str, action: str, actor_id: str, attributes: Mapping[str, str], scope: str = "local"
    ) -> Message:
        """Tells everyone; returns at once."""
        message = Message(kind, action, actor_id, dict(sorted(attributes.items())), scope, self._clock())
        self._past.append(message)
        for subscription in tuple(self._subscriptions):
            subscription.offer(message)
        return message

    @property
    def listeners(self) -> int:
        """How many hear the news."""
        return len(self._subscriptions)

    def past(self, since_ns: int | None, until_ns: int | None) -> list[Message]:
        """What is remembered of the time between, ends included."""
        since, until = since_ns or 0, until_ns or 1 << 63
        return [message for message in self._past if since <= message.time_ns <= until]

    def subscribe(self) -> Subscription:
        """Everything published from now on, until left."""
        subscription = Subscription(self._subscriptions.discard)
        self._subscriptions.add(subscription)
        return subscription

    async def listen(
        self, since_ns: int | None = None, until_ns: int | None = None, filters: Filters = _EVERYTHING
    ) -> AsyncIterator[Message]:
        """What `GET /events` answers: the past where a time is given, then news until `until_ns`.

        Without `until_ns` it goes on until the listener leaves or is cut off.
        """
        async with self.subscribe() as subscription:
            # No await between the two, so that nothing is missed or told twice.
            earlier = self.past(since_ns, until_ns) if since_ns or until_ns else []
            for message in earlier:
                if matches(message, filters):
                    yield message
            while True:
                try:
                    async with asyncio.timeout(self._seconds_until(until_ns)):
                        message = await anext(subscription)
                except (TimeoutError, StopAsyncIteration):
                    return
                if until_ns and message.time_ns > until_ns:
                    return
                if matches(message, filters):
                    yield message

    def _seconds_until(self, until_ns: int | None) -> float | None:
        return max((until_ns - self._clock()) / NANOSECOND, 0) if until_ns else None
