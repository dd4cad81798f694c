"""Ways for a command to end early."""


class CommandFailed(Exception):
    """The command could not do its work; `message` goes to the user as it stands."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Exit(Exception):
    """The command ends with this code; whatever there was to say has been said."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class UsageError(Exception):
    """The command line is wrong; it is answered with the usage line and a pointer to the help.

    `pointer` is the verb of the latter.
    """

    def __init__(self, message: str, code: int = 125, pointer: str = "Run") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.pointer = pointer


class BadValue(Exception):
    """A flag's value is wrong; the grammar adds which flag and which value."""
