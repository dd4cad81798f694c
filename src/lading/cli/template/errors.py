"""Mistakes in templates."""


class TemplateError(Exception):
    """The template cannot be understood, or does not fit the value; worded as Go words it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class CallError(Exception):
    """A function refused its arguments; the template adds where."""


class WrongType(CallError):
    """A function was given a value of another type than it takes."""

    def __init__(self, value: object, expected: str, found: str) -> None:
        super().__init__(f"wrong type for value; expected {expected}; got {found}")
        self.value = value
        self._expected = expected

    def about(self, constant: bool, shown: str) -> str:
        """The message, which names a constant as it is written."""
        return f"expected {self._expected}; found {shown}" if constant else str(self)
