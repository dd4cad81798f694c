"""What can go wrong between a client and an engine."""


class ClientError(Exception):
    """Something between us and the engine failed; the message is for the user."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadAddress(ClientError):
    """The engine's address cannot be understood."""


class ConnectionFailed(ClientError):
    """Nothing could be reached at the address.

    `absent` tells whether simply nobody listens there, so that starting an
    engine would help.
    """

    def __init__(self, message: str, absent: bool = False) -> None:
        super().__init__(message)
        self.absent = absent


class ConnectionLost(ClientError):
    """The connection ended in the middle of an answer."""


class ApiError(ClientError):
    """The engine refused: `status` is the HTTP status, `message` its reason."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
