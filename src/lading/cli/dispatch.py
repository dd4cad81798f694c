"""From the command line to the command: global flags, the table of commands, and every way to end."""

from __future__ import annotations

import sys

from lading.cli.errors import CommandFailed, Exit, UsageError
from lading.cli.flags import Flag, HelpWanted, parse
from lading.cli.say import err, out
from lading.cli.session import Session
from lading.cli.table import ALIASES, COMMANDS, GROUPS, load
from lading.client import ApiError, ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lading.cli.command import Command
    from lading.cli.flags import Given

GLOBAL_FLAGS = (
    Flag("config", "", "string", "Directory of the client's settings and certificates (default ~/.docker)"),
    Flag("context", "c", "string", 'Named engine to talk to; only "default" is known'),
    Flag("debug", "D", "", "Say more when something fails"),
    Flag("host", "H", "list", "Address of the engine: unix:///path or tcp://host:port"),
    Flag("log-level", "l", "string", 'How much to report: "debug", "info", "warn", "error" or "fatal"'),
    Flag("tls", "", "", "Use TLS; implied by --tlsverify"),
    Flag("tlscacert", "", "string", "PEM file of the authority that signed the engine's certificate"),
    Flag("tlscert", "", "string", "PEM file of our certificate"),
    Flag("tlskey", "", "string", "PEM file of our private key"),
    Flag("tlsverify", "", "", "Use TLS and refuse an engine whose certificate does not verify"),
    Flag("version", "v", "", "Print the version and quit"),
)
_INTERRUPTED = 130
_LEVELS = ("debug", "info", "warn", "error", "fatal")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code. Never raises."""
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    except Exit as end:
        return end.code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as failure:
        return _report(failure)


def _report(failure: Exception) -> int:
    try:
        if isinstance(failure, CommandFailed):
            err(failure.message)
            return failure.code
        if isinstance(failure, ApiError):
            err(f"Error response from daemon: {failure.message}")
        elif isinstance(failure, ClientError):
            err(failure.message)
        elif isinstance(failure, OSError):
            place = f"{failure.filename}: " if failure.filename else ""
            err(f"lading: {place}{failure.strerror or failure}")
        else:
            err(f"lading: internal error: {type(failure).__name__}: {failure}; please report this")
            if "-D" in sys.argv or "--debug" in sys.argv:
                import traceback

                traceback.print_exc()
    except (Exit, OSError):
        pass
    return 1


def _run(words: list[str]) -> int:
    try:
        options = parse(words, GLOBAL_FLAGS, interspersed=False)
    except HelpWanted:
        return _overview()
    except UsageError as error:
        return _usage_error(error, "lading [OPTIONS] COMMAND [ARG...]", "lading")
    if options["version"]:
        from lading import __version__

        out(f"Lading version {__version__}")
        return 0
    if options["log-level"] and options["log-level"] not in _LEVELS:
        raise CommandFailed(f"unable to parse logging level: {options['log-level']}", 125)
    if not options.operands:
        return _overview()
    return _run_command(options)


def _run_command(options: Given) -> int:
    words = options.operands
    name, rest = words[0], words[1:]
    if name == "help":
        return _help_on(rest)
    if name == "__complete":
        return _complete(rest)
    if name in GROUPS:
        if not rest or rest[0] in ("--help", "-h", "help"):
            return _group_page(name, to_stderr=not rest)
        member = ALIASES.get(f"{name} {rest[0]}", f"{name} {rest[0]}")
        if member not in COMMANDS:
            if "--help" in rest:
                return _group_page(name, to_stderr=False)
            err(f"lading: unknown command: lading {name} {rest[0]}\n\nUsage:  lading {name}\n")
            err(f"Run 'lading {name} --help' for more information")
            return 1
        return _execute(load(member).within(name), rest[1:], Session(options))
    if name not in COMMANDS:
        return _unknown(name)
    return _execute(load(name), rest, Session(options))


def _complete(words: list[str]) -> int:
    from lading.cli.candidates import answer

    try:
        options = parse(words[:-1], GLOBAL_FLAGS, interspersed=False)
    except (HelpWanted, UsageError):
        options = parse([], GLOBAL_FLAGS)
    try:
        answer(words, GLOBAL_FLAGS, Session(options, may_start=False))
    except CommandFailed:
        out(":1")
    return 0


def _execute(command: Command, words: list[str], session: Session) -> int:
    try:
        given = parse(words, command.flags, command.interspersed)
        command.check_operands(len(given.operands))
    except HelpWanted:
        from lading.cli.help import command_page

        out(command_page(command))
        return 0
    except UsageError as error:
        return _usage_error(error, command.usage(), f"lading {command.name}")
    _check_versions(command, given, session)
    return command.run(session, given) or 0


def _check_versions(command: Command, given: Given, session: Session) -> None:
    """Raises CommandFailed for flags the engine is too old for."""
    newer = [flag for flag in command.flags if flag.since and flag.name in given]
    too_new = [
        f'"--{flag.name}" requires API version {flag.since}, '
        f"but the engine's API version is {session.client.api_version}"
        for flag in newer
        if not session.client.at_least(flag.since)
    ]
    if too_new:
        raise CommandFailed("\n".join(too_new))


def _usage_error(error: UsageError, usage: str, name: str) -> int:
    err(f"{error.message}\n\nUsage:  {usage}\n\n{error.pointer} '{name} --help' for more information")
    return error.code


def _unknown(name: str) -> int:
    from lading.cli.help import nearest_command

    err(f"lading: '{name}' is not a lading command.{nearest_command(name)}\nSee 'lading --help'")
    return 1


def _help_on(words: list[str]) -> int:
    if not words:
        return _overview()
    name = " ".join(words[:2]) if words[0] in GROUPS else words[0]
    name = ALIASES.get(name, name)
    if name in GROUPS:
        return _group_page(name, to_stderr=False)
    if name not in COMMANDS:
        err(f"unknown help topic: {' '.join(words)}")
        return 1
    from lading.cli.help import command_page

    command = load(name)
    out(command_page(command.within(words[0]) if words[0] in GROUPS else command))
    return 0


def _overview() -> int:
    from lading.cli.help import overview_page

    out(overview_page(GLOBAL_FLAGS))
    return 0


def _group_page(name: str, to_stderr: bool) -> int:
    from lading.cli.help import group_page

    (err if to_stderr else out)(group_page(name))
    return 0
