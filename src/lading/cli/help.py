"""Help pages, made from the commands' own tables."""

from __future__ import annotations

import os

from lading.cli.table import ALIASES, COMMANDS, GROUPS, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lading.cli.command import Command
    from lading.cli.flags import Flag

_SLACK = 5
_COMMON = ("run", "exec", "ps", "logs", "images", "version", "info")


def command_page(command: Command) -> str:
    """What `lading COMMAND --help` prints."""
    parts = [f"Usage:  {command.usage()}", command.details or command.summary]
    if command.aliases:
        parts.append("Aliases:\n  " + ", ".join(f"lading {alias}" for alias in command.aliases))
    options = _options(command.flags)
    if options:
        parts.append("Options:\n" + options)
    return "\n\n".join(parts)


def group_page(group: str) -> str:
    """What `lading GROUP` prints."""
    members = {alias.split(" ")[1]: name for alias, name in ALIASES.items() if alias.startswith(f"{group} ")}
    members = {member: name for member, name in members.items() if member not in ("list", "ps", "remove")}
    members |= {name.split(" ")[1]: name for name in COMMANDS if name.startswith(f"{group} ")}
    rows = ((member, load(name).summary) for member, name in sorted(members.items()))
    return (
        f"Usage:  lading {group} COMMAND\n\n{GROUPS[group]}\n\nCommands:\n{_listing(rows)}\n\n"
        f"Run 'lading {group} COMMAND --help' for more information on a command."
    )


def overview_page(flags: Sequence[Flag]) -> str:
    """What `lading --help` prints."""
    plain = [name for name in sorted(COMMANDS) if " " not in name and name not in _COMMON]
    return "\n\n".join(
        (
            "Usage:  lading [OPTIONS] COMMAND",
            "Run containers: Docker's commands, on the Lading engine",
            "Common commands:\n" + _listing((name, load(name).summary) for name in _COMMON),
            "Groups:\n" + _listing(sorted(GROUPS.items())),
            "Commands:\n" + _listing((name, load(name).summary) for name in plain),
            "Global options:\n" + _options(flags),
            "Run 'lading COMMAND --help' for more information on a command.",
        )
    )


def nearest_command(name: str) -> str:
    """A hint for a mistyped command, or nothing."""
    import difflib

    near = difflib.get_close_matches(name, [known for known in COMMANDS if " " not in known], 1, 0.6)
    return f" Did you mean '{near[0]}'?" if near else ""


def _listing(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"  {name:<11} {summary}" for name, summary in rows)


def _options(flags: Sequence[Flag]) -> str:
    shown = [flag for flag in sorted(flags, key=lambda flag: flag.name) if not flag.hidden]
    if not shown:
        return ""
    heads = [_head(flag) for flag in shown]
    column = max(map(len, heads)) + 3
    width = max(_terminal_width() - 1 - column, 30)
    lines = []
    for head, flag in zip(heads, shown, strict=True):
        text = _wrapped(flag.text, width).replace("\n", "\n" + " " * column)
        lines.append(f"{head:<{column}}{text}")
    return "\n".join(lines)


def _wrapped(text: str, width: int) -> str:
    """Lines some letters shorter than `width`, so that the last can be longer than the others."""
    length = width - _SLACK
    lines = []
    while length + _SLACK <= len(text):
        piece = text[:length]
        end = max(piece.rfind(" "), piece.rfind("\n"))
        if end <= 0:
            break
        end = piece.rfind("\n") if "\n" in piece else end
        lines.append(text[:end])
        text = text[end + 1 :]
    return "\n".join([*lines, text])


def _head(flag: Flag) -> str:
    short = f"-{flag.short}," if flag.short else "   "
    return f"  {short} --{flag.name}{' ' + flag.word if flag.word else ''}"


def _terminal_width() -> int:
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80
