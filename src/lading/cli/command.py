"""What a command is: its grammar, its words for the help page, and the function that runs it."""

from __future__ import annotations

from lading.cli.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lading.cli.flags import Flag, Given
    from lading.cli.session import Session


class Command:
    """One command.

    `name` is how the help calls it ("run", "system prune"), `operands` what
    follows the flags, `least` and `most` how many operands it takes. Flags end
    at the first operand where `interspersed` is false, so that they can belong
    to the program a container runs. `details` are on the help page of the
    command in place of its summary.
    """

    __slots__ = (
        *("aliases", "details", "flags", "interspersed", "least", "most", "name", "operands", "run"),
        "summary",
    )

    def __init__(
        self,
        name: str,
        operands: str,
        summary: str,
        flags: Sequence[Flag],
        run: Callable[[Session, Given], int | None],
        *,
        least: int = 0,
        most: int | None = None,
        aliases: Sequence[str] = (),
        interspersed: bool = True,
        details: str = "",
    ) -> None:
        self.name = name
        self.operands = operands
        self.summary = summary
        self.flags = flags
        self.run = run
        self.least = least
        self.most = most
        self.aliases = aliases
        self.interspersed = interspersed
        self.details = details

    def within(self, group: str) -> Command:
        """This command under the name it has in a group ("image rm" for "rmi")."""
        name = next((name for name in self.aliases if name.startswith(f"{group} ")), self.name)
        return Command(
            name,
            self.operands,
            self.summary,
            self.flags,
            self.run,
            least=self.least,
            most=self.most,
            aliases=self.aliases,
            interspersed=self.interspersed,
            details=self.details,
        )

    def usage(self) -> str:
        """The line after "Usage:"."""
        words = ["lading", self.name]
        if self.flags:
            words.append("[OPTIONS]")
        if self.operands:
            words.append(self.operands)
        return " ".join(words)

    def check_operands(self, count: int) -> None:
        """Raises UsageError where there are too many or too few operands."""
        if count >= self.least and (self.most is None or count <= self.most):
            return
        plural = "argument" if (self.most if self.most is not None else self.least) == 1 else "arguments"
        if self.most == 0:
            need = "accepts no arguments"
        elif self.least == self.most:
            need = f"requires {self.least} {plural}"
        elif self.least and self.most is not None:
            need = f"requires at least {self.least} and at most {self.most} {plural}"
        elif count < self.least:
            need = f"requires at least {self.least} {'argument' if self.least == 1 else 'arguments'}"
        else:
            need = f"requires at most {self.most} {plural}"
        pointer = "See" if self.most is None and self.least else "Run"
        raise UsageError(f"lading: 'lading {self.name}' {need}", code=1, pointer=pointer)
