"""One thread that waits for descriptors, children and time."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
# Reported by the kernel whether asked for or not.
BROKEN = select.EPOLLHUP | select.EPOLLERR


def say(text: str) -> None:
    """One line into the keeper's log."""
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")


def try_write(path: str, text: str) -> None:
    """Tells the kernel something it may refuse."""
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    except OSError:
        pass


class Loop:
    """Calls back when a descriptor is ready, a moment has come or children have ended."""

    def __init__(self) -> None:
        self._epoll = select.epoll(flags=select.EPOLL_CLOEXEC)
        self._watched: dict[int, Callable[[int], None]] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._signals: dict[int, Callable[[], None]] = {}
        self._numbers = 0
        self._running = False
        self._wakeup, written = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(written, warn_on_full_buffer=False)

    def watch(self, descriptor: int, events: int, callback: Callable[[int], None]) -> None:
        """Calls `callback(events)` while any of `events` holds; HUP and ERR always count."""
        self._epoll.register(descriptor, events)
        self._watched[descriptor] = callback

    def change(self, descriptor: int, events: int) -> None:
        """Watches for other events from now on."""
        self._epoll.modify(descriptor, events)

    def unwatch(self, descriptor: int) -> None:
        """Forgets a descriptor; call before closing it. Harmless where it is not watched."""
        if self._watched.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def after(self, seconds: float, callback: Callable[[], None]) -> None:
        """Calls back once. There are few timers and none is taken back."""
        self._numbers += 1
        self._timers.append((time.monotonic() + seconds, self._numbers, callback))
        self._timers.sort()

    def on_signal(self, number: int, callback: Callable[[], None]) -> None:
        """Calls back in the loop, not in the middle of something else, after a signal came."""
        self._signals[number] = callback
        signal.signal(number, lambda *_: None)

    def stop(self) -> None:
        """Makes `run` return after the present round."""
        self._running = False

    def run(self) -> None:
        """Goes on until `stop`. What a callback raises is logged and costs that descriptor only."""
        self._running = True
        self.watch(self._wakeup, READ, self._signalled)
        while self._running:
            for descriptor, events in self._epoll.poll(self._patience()):
                callback = self._watched.get(descriptor)
                if callback is not None and not survive(callback, events):
                    self.unwatch(descriptor)
            self._ring()

    def _patience(self) -> float:
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else -1

    def _ring(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            callback = self._timers.pop(0)[2]
            survive(callback)

    def _signalled(self, _: int) -> None:
        for number in set(os.read(self._wakeup, 4096)):
            if number in self._signals:
                survive(self._signals[number])


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
