"""Asking the user who they are at a registry."""

from __future__ import annotations

import posix

from lading.cli.config.auths import HUB, Auth
from lading.cli.errors import CommandFailed
from lading.cli.notes import note, underlined
from lading.cli.say import out, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from lading.cli.session import Session

    Answer = TypeVar("Answer")

NO_TERMINAL = "Error: Cannot perform an interactive login from a non TTY device"
_REGISTER = (
    "Log in with your Docker ID or email address to push and pull images from Docker Hub. "
    "If you don't have a Docker ID, head over to https://hub.docker.com/ to create one."
)
_TOKENS = (
    "You can log in with your password or a Personal Access Token (PAT). "
    "Using a limited-scope PAT grants better security and is required for organizations using SSO. "
    "Learn more at https://docs.docker.com/go/access-tokens/\n"
)
_TOKEN_INSTEAD = "A Personal Access Token (PAT) can be used instead."
_TOKENS_URL = "https://app.docker.com/settings"
_UNAUTHORIZED = 401


def ask_credentials(server: str, username: str = "", password: str = "", usual_user: str = "") -> Auth:
    """Asks for what is not given. Raises CommandFailed."""
    username = username.strip()
    if not username:
        if server == HUB:
            out(_REGISTER)
            out(_TOKENS)
        write(1, f"Username ({usual_user}): ".encode() if usual_user else b"Username: ")
        username = _line().strip() or usual_user
        if not username:
            raise CommandFailed("Error: Non-null Username Required")
    if not password.strip():
        with _Unseen():
            if server == HUB:
                address = underlined(_TOKENS_URL) if posix.isatty(2) else _TOKENS_URL
                note(2, f"{_TOKEN_INSTEAD}\nTo create a PAT, visit {address}\n\n")
            write(1, b"Password: ")
            password = _line()
        out("")
        if not password:
            raise CommandFailed("Error: Password Required")
    return Auth(server, username, password)


def authorized(session: Session, server: str, deed: str, request: Callable[[Auth], Answer]) -> Answer:
    """The answer to a request made with our credentials at a registry.

    Where the engine wants others and there is somebody to ask, asks and tries once
    more. Raises CommandFailed, ApiError, and what the connection raises.
    """
    from lading.cli.config.store import credentials
    from lading.client import ApiError

    try:
        return request(credentials(session.config, server))
    except ApiError as refusal:
        if refusal.status != _UNAUTHORIZED or not posix.isatty(0):
            raise
    out(f"\nLogin prior to {deed}:")
    return request(ask_credentials(server))


def _line() -> str:
    # Byte by byte: what follows the line is not ours.
    line = b""
    while not line.endswith(b"\n") and (byte := posix.read(0, 1)):
        line += byte
    return line.decode("utf-8", "surrogateescape").rstrip("\r\n")


class _Unseen:
    """While it lasts, what is typed is not shown (termios(3), ECHO)."""

    def __enter__(self) -> None:
        self._saved: list[object] = []
        if not posix.isatty(0):
            return
        import termios

        self._saved = termios.tcgetattr(0)
        changed = termios.tcgetattr(0)
        changed[3] &= ~termios.ECHO
        termios.tcsetattr(0, termios.TCSANOW, changed)

    def __exit__(self, *_: object) -> None:
        if self._saved:
            import termios

            termios.tcsetattr(0, termios.TCSANOW, self._saved)  # type: ignore[arg-type]
