"""Mistakes in templates."""


class TemplateError(Exception):
    """The template cannot be understood, or does not fit the value; worded as Go words it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class CallError(Exception):
    """A function refused its arguments; the template adds where."""
