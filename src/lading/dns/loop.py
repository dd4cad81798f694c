"""One thread that waits for descriptors and time."""

from __future__ import annotations

import heapq
import select
import sys
import time
from collections.abc import Callable

READ = select.EPOLLIN
WRITE = select.EPOLLOUT


def say(text: str) -> None:
    """One line into the resolver's log."""
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")
    sys.stderr.flush()


class Timer:
    """A moment at which something is to be done, unless it is called off before."""

    __slots__ = ("callback", "number", "when")

    def __init__(self, when: float, number: int, callback: Callable[[], None]) -> None:
        self.when = when
        self.number = number
        self.callback: Callable[[], None] | None = callback

    def __lt__(self, other: Timer) -> bool:
        return (self.when, self.number) < (other.when, other.number)

    def cancel(self) -> None:
        """Lets it pass."""
        self.callback = None


class Loop:
    """Calls back when a descriptor is ready or a moment has come."""

    def __init__(self) -> None:
        self._epoll = select.epoll(flags=select.EPOLL_CLOEXEC)
        self._watched: dict[int, Callable[[int], None]] = {}
        self._timers: list[Timer] = []
        self._numbers = 0
        self._running = False

    def watch(self, descriptor: int, events: int, callback: Callable[[int], None]) -> None:
        """Calls `callback(events)` while any of `events` holds; hang-ups and errors always count."""
        self._epoll.register(descriptor, events)
        self._watched[descriptor] = callback

    def change(self, descriptor: int, events: int) -> None:
        """Watches for other events from now on."""
        self._epoll.modify(descriptor, events)

    def unwatch(self, descriptor: int) -> None:
        """Forgets a descriptor; call before closing it. Harmless where it is not watched."""
        if self._watched.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def after(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Calls back once."""
        self._numbers += 1
        timer = Timer(time.monotonic() + seconds, self._numbers, callback)
        heapq.heappush(self._timers, timer)
        return timer

    def stop(self) -> None:
        """Makes `run` return after the present round."""
        self._running = False

    def run(self) -> None:
        """Goes on until `stop`. What a callback raises is logged and costs that descriptor only."""
        self._running = True
        while self._running:
            for descriptor, events in self._epoll.poll(self._patience()):
                callback = self._watched.get(descriptor)
                if callback is not None and not survive(callback, events):
                    self.unwatch(descriptor)
            self._ring()

    def _patience(self) -> float:
        while self._timers and self._timers[0].callback is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0].when - time.monotonic()) if self._timers else -1

    def _ring(self) -> None:
        if not self._timers:
            return
        now = time.monotonic()
        while self._timers and self._timers[0].when <= now:
            callback = heapq.heappop(self._timers).callback
            if callback is not None:
                survive(callback)


def survive(callback: Callable[..., None], *arguments: int) -> bool:
    """Whether the callback came to its end; a fault is logged."""
    try:
        callback(*arguments)
    except Exception:
        # A fault in one container's affairs must not end the others.
        say("unexpected fault:")
        sys.excepthook(*sys.exc_info())
        return False
    return True
