"""The conversation between the user's streams and a container's.

One loop waits for everything at once: output from the container, input from
the user, signals. Input is only read while the connection takes it, so neither
side can block the other.
"""

from __future__ import annotations

import posix
import select

from lading.cli.detach_keys import DetachScanner
from lading.cli.errors import CommandFailed, Exit
from lading.cli.frames import STDERR, SYSTEM_ERROR, Frames
from lading.cli.say import write
from lading.cli.signals import ENDING, NAMES, SIGWINCH, Signals
from lading.cli.terminal import RawMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lading.client import Channel

_INPUT_SIZE = 32768
_SIGNAL_EXIT = 128


class Conversation:
    """What goes where, until the container closes its side or the user detaches.

    `on_resize` is called when the terminal changes its size, `on_signal` with
    the name of each signal to hand on; where it is None, signals have their
    usual effect on us.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        tty: bool,
        stdin: bool,
        detach_keys: bytes = b"",
        on_resize: Callable[[], object] | None = None,
        on_signal: Callable[[str], None] | None = None,
    ) -> None:
        self._channel = channel
        self._frames = None if tty else Frames()
        self._raw = tty and stdin
        self._given_stdin = self._stdin_open = stdin
        self._scanner = DetachScanner(detach_keys) if tty and stdin and detach_keys else None
        self._on_resize = on_resize
        self._on_signal = on_signal
        self._unsent = b""
        self._sending = False
        self._half_closed = False
        self.detached = False

    def run(self, started: Callable[[], None] | None = None) -> None:
        """Talks until the end; `started` is called once signals are caught and before anything is read.

        Raises ConnectionLost, CommandFailed, Exit.
        """
        with Signals(self._caught()) as signals, RawMode(self._raw):
            if started:
                started()
            self._loop(signals)

    def _caught(self) -> tuple[int, ...]:
        if self._on_signal is not None:
            return tuple(NAMES)
        return (*ENDING, SIGWINCH) if self._raw else ()

    def _loop(self, signals: Signals) -> None:
        poll = select.poll()
        poll.register(signals.fileno(), select.POLLIN)
        self._watch_channel(poll)
        if self._stdin_open:
            poll.register(0, select.POLLIN)
        while not self.detached:
            ready = dict(poll.poll(0 if self._channel.arrived() else None))
            if signals.fileno() in ready:
                self._take_signals(signals.read())
            if 0 in ready:
                self._take_input(poll)
            if self._channel.fileno() in ready or self._channel.arrived():
                self._send(poll)
                if not self._take_output():
                    return

    def _watch_channel(self, poll: select.poll) -> None:
        events = select.POLLIN | (select.POLLOUT if self._sending else 0)
        poll.register(self._channel.fileno(), events)

    def _take_output(self) -> bool:
        """Whether more may come."""
        data = self._channel.receive_now()
        if data is None:
            return True
        if self._frames is None:
            write(1, data)
            return bool(data)
        try:
            for stream, piece in self._frames.feed(data):
                if stream == SYSTEM_ERROR:
                    raise CommandFailed(f"error from daemon in stream: {piece.decode('utf-8', 'replace')}")
                write(2 if stream == STDERR else 1, piece)
        except ValueError as error:
            raise CommandFailed(f"the engine's stream is damaged: {error}") from None
        return bool(data)

    def _take_input(self, poll: select.poll) -> None:
        try:
            data = posix.read(0, _INPUT_SIZE)
        except OSError:
            data = b""
        if not data:
            poll.unregister(0)
            self._stdin_open = False
        elif self._scanner:
            data, self.detached = self._scanner.feed(data)
        self._unsent += data
        if self._unsent and self._stdin_open:
            # Read on only when this is sent.
            poll.unregister(0)
        self._send(poll)

    def _send(self, poll: select.poll) -> None:
        was_sending = self._sending
        if self._unsent:
            self._unsent = self._unsent[self._channel.send_now(self._unsent) :]
        self._sending = bool(self._unsent) or not self._channel.flush_now()
        if self._sending or was_sending:
            self._watch_channel(poll)
        if self._sending:
            return
        if self._stdin_open:
            poll.register(0, select.POLLIN)
        elif self._given_stdin and not self._half_closed:
            self._half_closed = True
            self._channel.close_write()

    def _take_signals(self, numbers: bytes) -> None:
        for number in numbers:
            if number == SIGWINCH and self._on_resize:
                self._on_resize()
            elif self._on_signal is not None and number in NAMES:
                self._on_signal(NAMES[number])
            elif number in ENDING:
                raise Exit(_SIGNAL_EXIT + number)
