"""The parts of a parsed template (pure)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Node:
    """A part: where it stands in the source, and how it is shown in messages."""

    __slots__ = ("offset", "shown")

    def __init__(self, offset: int, shown: str) -> None:
        self.offset = offset
        self.shown = shown


class Constant(Node):
    """A string, number, boolean or nil."""

    __slots__ = ("value",)

    def __init__(self, offset: int, shown: str, value: object) -> None:
        super().__init__(offset, shown)
        self.value = value


class Dot(Node):
    """The cursor."""

    __slots__ = ()


class Fields(Node):
    """`.A.B`, `$x.A` or `(…).A`: fields of a start, which is the cursor where it is None."""

    __slots__ = ("names", "start")

    def __init__(self, offset: int, shown: str, start: Node | None, names: Sequence[str]) -> None:
        super().__init__(offset, shown)
        self.start = start
        self.names = names


class Variable(Node):
    """`$x`."""

    __slots__ = ()


class Function(Node):
    """A function's name."""

    __slots__ = ()


class Command(Node):
    """Operands: the first with the others as its arguments."""

    __slots__ = ("operands",)

    def __init__(self, offset: int, shown: str, operands: Sequence[Node]) -> None:
        super().__init__(offset, shown)
        self.operands = operands


class Pipeline(Node):
    """Commands, each with the result of the one before as its last argument; variables it sets."""

    __slots__ = ("assigns", "commands", "variables")

    def __init__(
        self, offset: int, shown: str, commands: Sequence[Command], variables: Sequence[str], assigns: bool
    ) -> None:
        super().__init__(offset, shown)
        self.commands = commands
        self.variables = variables
        self.assigns = assigns


class Text:
    """Text that stands for itself."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Action:
    """A pipeline whose value is printed."""

    __slots__ = ("pipeline",)

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline


class Branch:
    """`if`, `with` or `range`."""

    __slots__ = ("body", "kind", "otherwise", "pipeline")

    def __init__(
        self, kind: str, pipeline: Pipeline, body: Sequence[Part], otherwise: Sequence[Part]
    ) -> None:
        self.kind = kind
        self.pipeline = pipeline
        self.body = body
        self.otherwise = otherwise


class Jump:
    """`break` or `continue`."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


if TYPE_CHECKING:
    Part = Text | Action | Branch | Jump
