"""Runs a template on a value (pure)."""

from __future__ import annotations

from lading.cli.template.errors import CallError, TemplateError, WrongType
from lading.cli.template.functions import FUNCTIONS
from lading.cli.template.nodes import (
    Action,
    Branch,
    Command,
    Constant,
    Dot,
    Fields,
    Function,
    Jump,
    Node,
    Pipeline,
    Text,
    Variable,
)
from lading.cli.template.parser import parse
from lading.cli.template.values import ABSENT, NO_VALUE, show, truth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from typing import Any

    from lading.cli.template.nodes import Part

_VARIADIC = 0x04  # CO_VARARGS, inspect(3)


class Record:
    """A value whose fields are computed: what a command shows of one object."""

    def field(self, name: str, arguments: Sequence[Any]) -> Any:
        """The field's value. Raises KeyError where there is no such field."""
        raise KeyError(name)


class _Break(Exception):
    """Leaves the innermost `range`."""


class _Continue(Exception):
    """Goes on to the next round of the innermost `range`."""


class Template:
    """A parsed template.

    `optional` names keys that a mapping may lack and that then count as nil:
    what an API leaves out when it is empty. `nil` is how nil is printed.
    """

    def __init__(
        self,
        source: str,
        functions: Mapping[str, Callable[..., Any]] = FUNCTIONS,
        optional: Collection[str] = (),
        nil: str = NO_VALUE,
    ) -> None:
        """Raises TemplateError."""
        self._source = source
        self._functions = functions
        self._optional = optional
        self._nil = nil
        self._parts = parse(source, functions)

    def render(self, value: Any) -> str:
        """Raises TemplateError."""
        run = _Run(self._source, self._functions, self._optional, value, self._nil)
        run.parts(self._parts, value)
        return "".join(run.output)


class _Run:
    def __init__(
        self,
        source: str,
        functions: Mapping[str, Callable[..., Any]],
        optional: Collection[str],
        root: Any,
        nil: str,
    ) -> None:
        self._nil = nil
        self._source = source
        self._functions = functions
        self._optional = optional
        self._variables: list[tuple[str, Any]] = [("$", root)]
        self.output: list[str] = []

    def _fail(self, node: Node, message: str) -> TemplateError:
        before = self._source[: node.offset]
        line = before.count("\n") + 1
        column = len(before.rpartition("\n")[2].encode("utf-8", "surrogateescape"))
        return TemplateError(f'template: :{line}:{column}: executing "" at <{node.shown}>: {message}')

    # --- parts

    def parts(self, parts: Iterable[Part], dot: Any) -> None:
        for part in parts:
            if isinstance(part, Text):
                self.output.append(part.text)
            elif isinstance(part, Action):
                value = self._pipeline(part.pipeline, dot)
                if not part.pipeline.variables:
                    self.output.append(self._nil if value is None else show(value))
            elif isinstance(part, Jump):
                raise _Break if part.kind == "break" else _Continue
            elif part.kind == "range":
                self._range(part, dot)
            else:
                self._condition(part, dot)

    def _condition(self, branch: Branch, dot: Any) -> None:
        depth = len(self._variables)
        value = self._pipeline(branch.pipeline, dot)
        if truth(value):
            self.parts(branch.body, value if branch.kind == "with" else dot)
        else:
            self.parts(branch.otherwise, dot)
        del self._variables[depth:]

    def _range(self, branch: Branch, dot: Any) -> None:
        depth = len(self._variables)
        names, branch_pipeline = branch.pipeline.variables, branch.pipeline
        value = self._commands(branch_pipeline, dot)
        rounds = self._rounds(branch_pipeline, value)
        for place, item in rounds:
            pairs = zip(names, (place, item) if len(names) == 2 else (item,), strict=False)
            if branch_pipeline.assigns:
                for name, part in pairs:
                    self._assign(name, part)
            else:
                self._variables.extend(pairs)
            try:
                self.parts(branch.body, item)
            except _Continue:
                pass
            except _Break:
                break
            finally:
                del self._variables[depth:]
        if not rounds:
            self.parts(branch.otherwise, dot)

    def _rounds(self, node: Node, value: Any) -> list[tuple[Any, Any]]:
        if isinstance(value, dict):
            return [(key, value[key]) for key in sorted(value)]
        if isinstance(value, (list, tuple)):
            return list(enumerate(value))
        if isinstance(value, int) and not isinstance(value, bool):
            return [(number, number) for number in range(value)]
        if value is None:
            return []
        raise self._fail(node, f"range can't iterate over {show(value)}")

    # --- values

    def _pipeline(self, pipeline: Pipeline, dot: Any) -> Any:
        value = self._commands(pipeline, dot)
        for name in pipeline.variables:
            if pipeline.assigns:
                self._assign(name, value)
            else:
                self._variables.append((name, value))
        return value

    def _commands(self, pipeline: Pipeline, dot: Any) -> Any:
        piped: tuple[Any, ...] = ()
        for command in pipeline.commands:
            piped = (self._command(command, dot, piped),)
        return piped[0]

    def _command(self, command: Command, dot: Any, piped: tuple[Any, ...]) -> Any:
        first, rest = command.operands[0], command.operands[1:]
        if isinstance(first, Function):
            return self._call(command, first, rest, dot, piped)
        if isinstance(first, Fields):
            arguments = [self._operand(node, dot) for node in rest] + list(piped)
            return self._fields(first, dot, arguments)
        if isinstance(first, Constant) and first.shown == "nil":
            raise self._fail(first, "nil is not a command")
        if rest or piped:
            raise self._fail(first, f"can't give argument to non-function {first.shown}")
        return self._operand(first, dot)

    def _call(
        self, command: Command, function: Function, rest: Sequence[Node], dot: Any, piped: tuple[Any, ...]
    ) -> Any:
        name = function.shown
        self._check_count(function, len(rest) + len(piped))
        if name in ("and", "or"):
            return self._decide(name == "and", rest, dot, piped)
        arguments = [self._operand(node, dot) for node in rest] + list(piped)
        try:
            return self._functions[name](*arguments)
        except WrongType as error:
            for node, argument in zip(rest, arguments, strict=False):
                if argument is error.value:
                    raise self._fail(node, error.about(isinstance(node, Constant), node.shown)) from None
            raise self._fail(command, error.about(False, "")) from None
        except CallError as error:
            raise self._fail(command, f"error calling {name}: {error}") from None

    def _check_count(self, function: Function, count: int) -> None:
        code = self._functions[function.shown].__code__
        least, variadic = code.co_argcount, bool(code.co_flags & _VARIADIC)
        if count < least or (count > least and not variadic):
            want = f"at least {least}" if variadic else str(least)
            message = f"wrong number of args for {function.shown}: want {want} got {count}"
            raise self._fail(function, message)

    def _decide(self, conjunction: bool, rest: Sequence[Node], dot: Any, piped: tuple[Any, ...]) -> Any:
        """`and` and `or`, which look only at as many operands as they need."""
        value: Any = None
        for node in rest:
            value = self._operand(node, dot)
            if truth(value) != conjunction:
                return value
        return piped[0] if piped else value

    def _operand(self, node: Node, dot: Any) -> Any:
        if isinstance(node, Constant):
            return node.value
        if isinstance(node, Dot):
            return dot
        if isinstance(node, Variable):
            return self._variable(node.shown)
        if isinstance(node, Fields):
            return self._fields(node, dot, ())
        if isinstance(node, Pipeline):
            depth = len(self._variables)
            value = self._pipeline(node, dot)
            del self._variables[depth:]
            return value
        return self._call(
            Command(node.offset, node.shown, [node]), Function(node.offset, node.shown), (), dot, ()
        )

    def _variable(self, name: str) -> Any:
        return next(value for known, value in reversed(self._variables) if known == name)

    def _assign(self, name: str, value: Any) -> None:
        for place in range(len(self._variables) - 1, -1, -1):
            if self._variables[place][0] == name:
                self._variables[place] = (name, value)
                return

    def _fields(self, node: Fields, dot: Any, arguments: Sequence[Any]) -> Any:
        value = dot if node.start is None else self._operand(node.start, dot)
        for position, name in enumerate(node.names):
            last = position == len(node.names) - 1
            value = self._field(node, value, name, arguments if last else ())
        return value

    def _field(self, node: Fields, value: Any, name: str, arguments: Sequence[Any]) -> Any:
        if isinstance(value, Record):
            try:
                return value.field(name, arguments)
            except KeyError:
                raise self._fail(node, f"can't evaluate field {name} in type {value}") from None
            except CallError as error:
                raise self._fail(node, f"error calling {name}: {error}") from None
        if arguments:
            raise self._fail(node, f"{name} is not a method but has arguments")
        if isinstance(value, dict):
            if name in value:
                return value[name]
            if name in self._optional:
                return None
            if value and all(isinstance(entry, str) for entry in value.values()):
                return ABSENT
            raise self._fail(node, f'map has no entry for key "{name}"')
        if value is None:
            raise self._fail(node, f'nil data; no entry for key "{name}"')
        raise self._fail(node, f"can't evaluate field {name} in type interface {{}}")
