"""Being attached to a container: the connection, its terminal and its signals."""

from __future__ import annotations

import time

from lading.cli import terminal
from lading.cli.detach_keys import parse_detach_keys
from lading.cli.errors import CommandFailed
from lading.cli.streams import Conversation
from lading.client import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lading.client import Channel, Client

_RESIZE_ATTEMPTS = 10


class Attachment:
    """A connection to a container's streams, made before the container starts."""

    def __init__(
        self,
        client: Client,
        container: str,
        *,
        tty: bool,
        streams: tuple[str, ...],
        detach_keys: str = "",
        logs: bool = False,
    ) -> None:
        self._client = client
        self._container = container
        self._tty = tty
        self._stdin = "stdin" in streams
        self._detach_keys = detach_keys
        query = [("stream", "1"), *((stream, "1") for stream in streams)]
        if detach_keys:
            query.append(("detachKeys", detach_keys))
        if logs:
            query.append(("logs", "1"))
        self._channel: Channel = client.upgrade(f"/containers/{container}/attach", query)

    def talk(self, *, sig_proxy: bool, started: Callable[[], None] | None = None) -> bool:
        """Connects the user's streams until the end; whether the user detached.

        Raises ConnectionLost, CommandFailed, Exit.
        """
        resizes = self._tty and terminal.is_terminal(1)
        conversation = Conversation(
            self._channel,
            tty=self._tty,
            stdin=self._stdin,
            detach_keys=parse_detach_keys(self._detach_keys) if terminal.is_terminal(0) else b"",
            on_resize=self.resize if resizes else None,
            on_signal=self._signal if sig_proxy else None,
        )

        def begin() -> None:
            if started:
                started()
            if resizes:
                first_resize(self.resize)

        try:
            conversation.run(begin)
        finally:
            self._channel.close()
        return conversation.detached

    def redraw(self) -> None:
        """Makes a program that is already running paint its screen, by two changes of size."""
        height, width = terminal.size()
        if height and width:
            try_resize(self._client, f"/containers/{self._container}", height + 1, width + 1)

    def resize(self) -> bool:
        """Gives the container's terminal our terminal's size; whether that worked."""
        return try_resize(self._client, f"/containers/{self._container}", *terminal.size())

    def _signal(self, name: str) -> None:
        if name == "WINCH" and self._tty:
            return
        try:
            self._client.call("POST", f"/containers/{self._container}/kill", (("signal", name),))
        except ClientError:
            # It may just have ended; then there is nobody to signal.
            pass

    def close(self) -> None:
        self._channel.close()


def try_resize(client: Client, path: str, height: int, width: int) -> bool:
    """Resizes the terminal of a container or an exec; whether that worked."""
    if not height or not width:
        return True
    try:
        client.call("POST", f"{path}/resize", (("h", str(height)), ("w", str(width))))
    except ClientError:
        return False
    return True


def first_resize(resize: Callable[[], bool]) -> None:
    """Resizes once there is a terminal: a program that was just started may not have one yet."""
    for attempt in range(_RESIZE_ATTEMPTS):
        if resize():
            return
        time.sleep((attempt + 1) / 100)


def check_terminal(attach_stdin: bool, tty: bool) -> None:
    """Raises CommandFailed where a program's terminal would be fed from something that is none."""
    if attach_stdin and tty and not terminal.is_terminal(0):
        raise CommandFailed("the input device is not a TTY")
