"""The grammar of flags: GNU style as Docker's clients read it.

`--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`, clusters of
short switches (`-it`), `--` as the end of flags. A switch takes a value only
after an equals sign. A flag given twice counts the last time, unless it
gathers a list.
"""

from __future__ import annotations

from lading.cli.errors import BadValue, UsageError
from lading.cli.values import READERS, read_bool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any


class Flag:
    """One flag.

    `word` names its kind of value on the help page and in `values.READERS`; an
    empty word makes a switch. `check` reads a value instead of the kind's
    reader. `other` is a second, undocumented spelling, `since` the API version
    that brought what the flag asks for.
    """

    __slots__ = ("check", "default", "gathers", "hidden", "name", "other", "short", "since", "text", "word")

    def __init__(
        self,
        name: str,
        short: str,
        word: str,
        text: str,
        *,
        default: Any = None,
        gathers: bool = False,
        check: Callable[[str], Any] | None = None,
        other: str = "",
        hidden: bool = False,
        since: str = "",
    ) -> None:
        self.name = name
        self.short = short
        self.word = word
        self.text = text
        self.gathers = gathers or word == "list"
        if default is None:
            default = {"": False, "string": ""}.get(word)
        self.default = default
        self.check: Callable[[str], Any] = check if check is not None else READERS.get(word, str)
        self.other = other
        self.hidden = hidden
        self.since = since

    def label(self) -> str:
        """How messages name it."""
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"

    def read(self, text: str) -> Any:
        """The value `text` stands for. Raises UsageError."""
        try:
            return read_bool(text) if not self.word else self.check(text)
        except BadValue as error:
            raise UsageError(f'invalid argument "{text}" for "{self.label()}" flag: {error}') from None


class Given:
    """What a command line gave: values by flag name, and the operands."""

    __slots__ = ("_defaults", "_values", "operands")

    def __init__(self, flags: Iterable[Flag]) -> None:
        self._defaults = {flag.name: [] if flag.gathers else flag.default for flag in flags}
        self._values: dict[str, Any] = {}
        self.operands: list[str] = []

    def __getitem__(self, name: str) -> Any:
        return self._values[name] if name in self._values else self._defaults[name]

    def __contains__(self, name: str) -> bool:
        """Whether the flag was written, even with its default value."""
        return name in self._values

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or `default` where the flag was not written or the command does not have it."""
        return self._values.get(name, default)

    def record(self, flag: Flag, text: str) -> None:
        """Takes one occurrence of a flag. Raises UsageError."""
        value = flag.read(text)
        if flag.gathers:
            self._values.setdefault(flag.name, []).append(value)
        else:
            self._values[flag.name] = value


class HelpWanted(Exception):
    """`--help` was among the flags."""


def parse(words: Sequence[str], flags: Sequence[Flag], interspersed: bool = True) -> Given:
    """Reads the words after a command's name. Raises UsageError, HelpWanted."""
    given = Given(flags)
    long = {flag.name: flag for flag in flags}
    long.update((flag.other, flag) for flag in flags if flag.other)
    short = {flag.short: flag for flag in flags if flag.short}
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word == "--":
            given.operands.extend(words[position:])
            break
        if word.startswith("--"):
            position = _long(word, words, position, long, given)
        elif word.startswith("-") and word != "-":
            position = _cluster(word, words, position, short, given)
        else:
            given.operands.append(word)
            if not interspersed:
                given.operands.extend(words[position:])
                break
    return given


def _long(word: str, words: Sequence[str], position: int, long: dict[str, Flag], given: Given) -> int:
    name, equals, value = word[2:].partition("=")
    if not name or name[0] == "-":
        raise UsageError(f"bad flag syntax: {word}")
    flag = long.get(name)
    if flag is None:
        if name == "help":
            raise HelpWanted
        raise UsageError(f"unknown flag: --{name}")
    if equals:
        given.record(flag, value)
    elif not flag.word:
        given.record(flag, "true")
    elif position < len(words):
        given.record(flag, words[position])
        return position + 1
    else:
        raise UsageError(f"flag needs an argument: --{name}")
    return position


def _cluster(word: str, words: Sequence[str], position: int, short: dict[str, Flag], given: Given) -> int:
    letters = word[1:]
    while letters:
        letter, rest = letters[0], letters[1:]
        flag = short.get(letter)
        if flag is None:
            if letter == "h":
                raise HelpWanted
            raise UsageError(f"unknown shorthand flag: '{letter}' in -{letters}")
        if rest.startswith("=") and len(rest) > 1:
            given.record(flag, rest[1:])
            return position
        if not flag.word:
            given.record(flag, "true")
            letters = rest
        elif rest:
            given.record(flag, rest)
            return position
        elif position < len(words):
            given.record(flag, words[position])
            return position + 1
        else:
            raise UsageError(f"flag needs an argument: '{letter}' in -{letters}")
    return position
