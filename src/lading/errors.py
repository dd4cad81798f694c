"""What can go wrong, in the terms of the Engine API.

Each error carries the HTTP status under which the API answers it, so that a
room says what happened and no face has to guess. Its message is written for
the user: what is wrong, and what to do where that is not obvious.
"""


class LadingError(Exception):
    """Something a user can understand and act upon.

    `status` is the HTTP status the API answers with (Engine API 1.51, "Errors").
    """

    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidParameter(LadingError):
    """The request is malformed or contradicts itself."""

    status = 400


class Unauthorized(LadingError):
    """Credentials are missing or were refused."""

    status = 401


class Forbidden(LadingError):
    """Understood, but not allowed."""

    status = 403


class NotFound(LadingError):
    """There is no such object."""

    status = 404


class Conflict(LadingError):
    """The object's present state does not allow it."""

    status = 409


class NotModified(LadingError):
    """It is so already; nothing was done."""

    status = 304


class TooLarge(LadingError):
    """A body or an archive exceeds what the engine accepts."""

    status = 413


class InternalError(LadingError):
    """The engine or the kernel failed at something that should work."""

    status = 500


class Unsupported(LadingError):
    """This engine or this machine cannot do it; the message says what is missing."""

    status = 501


class Unavailable(LadingError):
    """Not possible in the daemon's present role or state."""

    status = 503
