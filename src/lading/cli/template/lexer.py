"""Templates to tokens (pure)."""

from __future__ import annotations

from lading.cli.template.errors import TemplateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_SPACES = " \t\r\n"
_PUNCTUATION = {"(": "(", ")": ")", "|": "|", ",": ",", "=": "="}
KEYWORDS = frozenset("block break continue define else end if range nil template with".split())
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\"}
_ESCAPES |= {'"': '"', "'": "'"}


class Token:
    """One token: its kind, its text as written, its offset, and for constants their value."""

    __slots__ = ("kind", "line", "offset", "text", "value")

    def __init__(self, kind: str, text: str, offset: int, line: int, value: object = None) -> None:
        self.kind = kind
        self.text = text
        self.offset = offset
        self.line = line
        self.value = value


def tokens(source: str) -> list[Token]:
    """All tokens; the last is of kind "end of file". Raises TemplateError."""
    return list(_Lexer(source).run())


class _Lexer:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0

    def _line(self) -> int:
        return self._source.count("\n", 0, self._at) + 1

    def _fail(self, message: str) -> TemplateError:
        return TemplateError(f"template: :{self._line()}: {message}")

    def _token(self, kind: str, end: int, value: object = None) -> Token:
        token = Token(kind, self._source[self._at : end], self._at, self._line(), value)
        self._at = end
        return token

    def run(self) -> Iterator[Token]:
        trim_left = False
        while True:
            opening = self._source.find("{{", self._at)
            end = len(self._source) if opening < 0 else opening
            trim_right = opening >= 0 and self._trims_before(opening)
            text = self._source[self._at : end]
            if trim_left:
                text = text.lstrip(_SPACES)
            if trim_right:
                text = text.rstrip(_SPACES)
            if text:
                yield Token("text", text, self._at, self._line(), text)
            self._at = end
            if opening < 0:
                yield self._token("end of file", end)
                return
            self._at += 4 if trim_right else 2
            if self._source.startswith("/*", self._at):
                trim_left = self._skip_comment()
                continue
            yield Token("{{", "{{", opening, self._line())
            trim_left = yield from self._action()

    def _trims_before(self, opening: int) -> bool:
        after = self._source[opening + 2 : opening + 4]
        return len(after) == 2 and after[0] == "-" and after[1] in _SPACES

    def _skip_comment(self) -> bool:
        end = self._source.find("*/", self._at)
        if end < 0:
            raise self._fail("unclosed comment")
        self._at = end + 2
        trims = self._at_trimming_close()
        if trims:
            self._at += 2
        if not self._source.startswith("}}", self._at):
            raise self._fail("comment ends before closing delimiter")
        self._at += 2
        return trims

    def _at_trimming_close(self) -> bool:
        return self._source[self._at : self._at + 1] in tuple(_SPACES) and self._source.startswith(
            "-}}", self._at + 1
        )

    def _action(self) -> Generator[Token, None, bool]:
        """An action's tokens; returns whether the text after it is trimmed."""
        depth = 0
        while True:
            if depth == 0 and self._at_trimming_close():
                self._at += 2
                yield self._token("}}", self._at + 2)
                return True
            if depth == 0 and self._source.startswith("}}", self._at):
                yield self._token("}}", self._at + 2)
                return False
            if self._at >= len(self._source) or self._source.startswith("}}", self._at):
                raise self._fail("unclosed action" if depth == 0 else "unclosed left paren")
            token = self._one()
            depth += {"(": 1, ")": -1}.get(token.kind, 0)
            if depth < 0:
                raise self._fail("unexpected right paren")
            yield token

    def _one(self) -> Token:
        source, at = self._source, self._at
        character = source[at]
        if character in _SPACES:
            return self._space()
        if source.startswith(":=", at):
            return self._token(":=", at + 2)
        if character in _PUNCTUATION:
            return self._token(_PUNCTUATION[character], at + 1)
        if character == '"':
            return self._quoted()
        if character == "`":
            return self._raw()
        if character == "'":
            return self._character()
        if character == "." and not source[at + 1 : at + 2].isdecimal():
            end = self._name_end(at + 1)
            return self._token("field" if end > at + 1 else ".", self._ended(end), source[at + 1 : end])
        if character == "$":
            return self._token("variable", self._ended(self._name_end(at + 1)))
        if character.isdecimal() or character in "+-.":
            return self._number()
        if character.isalpha() or character == "_":
            return self._word()
        raise self._fail(f"unrecognized character in action: {_character_name(character)}")

    def _space(self) -> Token:
        source, end = self._source, self._at + 1
        while source[end : end + 1] in tuple(_SPACES) and not source.startswith("-}}", end + 1):
            end += 1
        return self._token("space", end)

    def _name_end(self, at: int) -> int:
        source = self._source
        while at < len(source) and (source[at].isalnum() or source[at] == "_"):
            at += 1
        return at

    def _ended(self, end: int) -> int:
        """`end`, if what is there may follow a name."""
        after = self._source[end : end + 1]
        if after in ("", *_SPACES, *".,|:()=") or self._source.startswith("}}", end):
            return end
        raise self._fail(f"bad character {_character_name(after)}")

    def _word(self) -> Token:
        end = self._ended(self._name_end(self._at))
        word = self._source[self._at : end]
        if word in ("true", "false"):
            return self._token("bool", end, word == "true")
        return self._token(word if word in KEYWORDS else "identifier", end)

    def _number(self) -> Token:
        source, end = self._source, self._at + 1
        while end < len(source) and (
            source[end].isalnum()
            or source[end] in "._"
            or (source[end] in "+-" and source[end - 1] in "eEpP")
        ):
            end += 1
        text = source[self._at : end]
        value = _read_number(text)
        if value is None:
            raise self._fail(f"bad number syntax: {_quote(text)}")
        return self._token("number", end, value)

    def _raw(self) -> Token:
        end = self._source.find("`", self._at + 1)
        if end < 0:
            raise self._fail("unterminated raw quoted string")
        return self._token("string", end + 1, self._source[self._at + 1 : end])

    def _quoted(self) -> Token:
        value: list[str] = []
        at = self._at + 1
        while True:
            character = self._source[at : at + 1]
            if character in ("", "\n"):
                raise self._fail("unterminated quoted string")
            if character == '"':
                return self._token("string", at + 1, "".join(value))
            if character == "\\":
                character, at = self._escaped(at)
            value.append(character)
            at += 1

    def _escaped(self, at: int) -> tuple[str, int]:
        """The character an escape stands for, and the offset of the escape's last character."""
        letter = self._source[at + 1 : at + 2]
        if letter in _ESCAPES:
            return _ESCAPES[letter], at + 1
        length = {"x": 2, "u": 4, "U": 8}.get(letter)
        try:
            if length:
                return chr(int(self._source[at + 2 : at + 2 + length], 16)), at + 1 + length
            return chr(int(self._source[at + 1 : at + 4], 8)), at + 3
        except (ValueError, OverflowError):
            raise self._fail("invalid syntax") from None

    def _character(self) -> Token:
        at = self._at + 1
        character = self._source[at : at + 1]
        if character == "\\":
            character, at = self._escaped(at)
        if character in ("", "\n", "'") or self._source[at + 1 : at + 2] != "'":
            raise self._fail("unterminated character constant")
        return self._token("number", at + 2, ord(character))


def _read_number(text: str) -> int | float | None:
    digits = text.lstrip("+-")
    try:
        if len(digits) > 1 and digits[0] == "0" and digits.replace("_", "").isdecimal():
            return int(text, 8)
        return int(text, 0)
    except ValueError:
        pass
    try:
        return (
            float.fromhex(text)
            if digits[:2].lower() == "0x"
            else float(text)
            if digits[:1] in _FLOATS
            else None
        )
    except ValueError:
        return None


_FLOATS = tuple("0123456789.")


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _character_name(character: str) -> str:
    return f"U+{ord(character):04X} '{character}'"
