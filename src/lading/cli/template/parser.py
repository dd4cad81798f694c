"""Tokens to nodes (pure)."""

from __future__ import annotations

from lading.cli.template.errors import TemplateError
from lading.cli.template.lexer import Token, tokens
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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from lading.cli.template.nodes import Part

_BRANCHES = ("if", "with", "range")
_NOT_SUPPORTED = ("block", "define", "template")


def parse(source: str, functions: Collection[str]) -> list[Part]:
    """The template's parts. Raises TemplateError."""
    return _Parser(source, functions).whole()


class _Parser:
    def __init__(self, source: str, functions: Collection[str]) -> None:
        self._source = source
        self._tokens = tokens(source)
        self._position = 0
        self._functions = functions
        self._variables = ["$"]
        self._loops = 0

    # --- tokens

    def _peek(self) -> Token:
        return self._tokens[self._position]

    def _next(self) -> Token:
        token = self._tokens[self._position]
        if token.kind != "end of file":
            self._position += 1
        return token

    def _skip_space(self) -> Token:
        while self._peek().kind == "space":
            self._position += 1
        return self._peek()

    def _fail(self, message: str, token: Token | None = None) -> TemplateError:
        return TemplateError(f"template: :{(token or self._peek()).line}: {message}")

    def _unexpected(self, token: Token, context: str) -> TemplateError:
        if token.kind == "end of file":
            return self._fail("unexpected EOF", token)
        shown = f"{{{{{token.text}}}}}" if token.kind == "end" else f'"{token.text}"'
        shown = {"}}": '"}}"', "end": "{{end}}", "else": "{{else}}"}.get(token.kind, shown)
        return self._fail(f"unexpected {_named(token, shown)} in {context}", token)

    # --- lists

    def whole(self) -> list[Part]:
        parts, stop = self._parts(None)
        if stop.kind != "end of file":
            raise self._fail(f"unexpected {{{{{stop.kind}}}}}", stop)
        return parts

    def _parts(self, within: str | None) -> tuple[list[Part], Token]:
        """Parts up to an `else` or `end` (whose braces are still open) or the end of the source."""
        parts: list[Part] = []
        while True:
            token = self._next()
            if token.kind == "end of file":
                if within is not None:
                    raise self._fail("unexpected EOF", token)
                return parts, token
            if token.kind == "text":
                parts.append(Text(str(token.value)))
                continue
            word = self._skip_space()
            if word.kind in ("else", "end"):
                self._next()
                return parts, word
            parts.append(self._action(word))

    def _action(self, word: Token) -> Part:
        if word.kind in _BRANCHES:
            self._next()
            return self._branch(word.kind)
        if word.kind in ("break", "continue"):
            self._next()
            if not self._loops:
                raise self._fail(f"{{{{{word.kind}}}}} outside {{{{range}}}}", word)
            self._close(word.kind)
            return Jump(word.kind)
        if word.kind in _NOT_SUPPORTED:
            raise self._fail(f"{{{{{word.kind}}}}} is not supported in a format", word)
        return Action(self._pipeline("command", "}}"))

    def _close(self, context: str) -> None:
        token = self._skip_space()
        if token.kind != "}}":
            raise self._unexpected(token, context)
        self._next()

    def _branch(self, kind: str) -> Branch:
        depth = len(self._variables)
        pipeline = self._pipeline(kind, "}}")
        self._loops += kind == "range"
        body, stop = self._parts(kind)
        self._loops -= kind == "range"
        otherwise: list[Part] = []
        if stop.kind == "else":
            chained = self._skip_space()
            if chained.kind in ("if", "with") and (chained.kind == kind or kind != "range"):
                self._next()
                otherwise = [self._branch(chained.kind)]
                del self._variables[depth:]
                return Branch(kind, pipeline, body, otherwise)
            self._close("else")
            otherwise, stop = self._parts(kind)
            if stop.kind == "else":
                raise self._fail("expected end; found {{else}}", stop)
        self._close("end")
        del self._variables[depth:]
        return Branch(kind, pipeline, body, otherwise)

    # --- pipelines

    def _pipeline(self, context: str, end: str) -> Pipeline:
        start = self._skip_space()
        variables, assigns = self._declaration(context)
        commands: list[Command] = []
        while True:
            token = self._skip_space()
            if token.kind == end:
                self._next()
                break
            if not commands or token.kind == "|":
                if token.kind == "|":
                    if not commands:
                        raise self._unexpected(token, context)
                    self._next()
                    if self._skip_space().kind in (end, "}}"):
                        raise self._fail(f"missing value for {context}")
                commands.append(self._command(context, end))
                continue
            raise self._unexpected(token, context)
        if not commands:
            raise self._fail(f"missing value for {context}", start)
        for command in commands[1:]:
            if isinstance(command.operands[0], (Constant, Dot)):
                raise self._fail(
                    f"non executable command in pipeline stage {commands.index(command) + 1}", start
                )
        if not assigns:
            self._variables.extend(variables)
        shown = " | ".join(command.shown for command in commands)
        return Pipeline(start.offset, shown, commands, variables, assigns)

    def _declaration(self, context: str) -> tuple[list[str], bool]:
        """`$x :=`, `$x =` or `$i, $x :=` before a pipeline, if it is there."""
        begin = self._position
        names: list[str] = []
        while self._skip_space().kind == "variable":
            names.append(self._next().text)
            token = self._skip_space()
            if token.kind in (":=", "="):
                self._next()
                if token.kind == "=" and names[0] not in self._variables:
                    raise self._fail(f'undefined variable "{names[0]}"', token)
                return names, token.kind == "="
            if token.kind == "," and context != "range":
                raise self._fail(f"too many declarations in {context}", token)
            if token.kind != "," or len(names) == 2:
                break
            self._next()
        self._position = begin
        return [], False

    def _command(self, context: str, end: str) -> Command:
        operands: list[Node] = []
        first = self._skip_space()
        while True:
            operands.append(self._operand(context))
            token = self._peek()
            if token.kind == "space":
                token = self._skip_space()
                if token.kind not in ("|", end, "}}"):
                    continue
            if token.kind in ("|", end):
                break
            raise self._unexpected(token, "operand" if token.kind != "}}" else context)
        shown = " ".join(
            f"({operand.shown})" if isinstance(operand, Pipeline) else operand.shown for operand in operands
        )
        return Command(first.offset, shown, operands)

    def _operand(self, context: str) -> Node:
        node = self._term(context)
        if self._peek().kind != "field":
            return node
        offset = self._peek().offset
        names = []
        while self._peek().kind == "field":
            names.append(self._next().text[1:])
        chain = "".join(f".{name}" for name in names)
        if isinstance(node, Fields) and node.start is None:
            return Fields(offset, node.shown + chain, None, [*node.names, *names])
        if isinstance(node, (Constant, Dot)):
            raise self._fail(f'unexpected . after term "{node.shown}"')
        shown = f"({node.shown})" if isinstance(node, Pipeline) else node.shown
        return Fields(offset, shown + chain, node, names)

    def _term(self, context: str) -> Node:
        token = self._next()
        if token.kind == "identifier":
            if token.text not in self._functions:
                raise self._fail(f'function "{token.text}" not defined', token)
            return Function(token.offset, token.text)
        if token.kind == "field":
            return Fields(token.offset, token.text, None, [token.text[1:]])
        if token.kind == ".":
            return Dot(token.offset, ".")
        if token.kind == "variable":
            if token.text not in self._variables:
                raise self._fail(f'undefined variable "{token.text}"', token)
            return Variable(token.offset, token.text)
        if token.kind in ("string", "number", "bool"):
            return Constant(token.offset, token.text, token.value)
        if token.kind == "nil":
            return Constant(token.offset, "nil", None)
        if token.kind == "(":
            depth = len(self._variables)
            pipeline = self._pipeline("parenthesized pipeline", ")")
            del self._variables[depth:]
            return pipeline
        raise self._unexpected(token, context)


def _named(token: Token, shown: str) -> str:
    """How a token is called in messages."""
    if token.kind in ("if", "with", "range", "end", "else", "break", "continue", "nil"):
        return f"<{token.text}>"
    return shown
