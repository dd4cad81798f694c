"""The program: its command, environment, user, streams and labels."""

from __future__ import annotations

from lading.cli.errors import BadValue, UsageError
from lading.cli.flags import Flag
from lading.cli.session import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from lading.cli.flags import Given

_STREAMS = ("stdin", "stdout", "stderr")


def read_stream(text: str) -> str:
    """One of stdin, stdout, stderr. Raises BadValue."""
    if text.lower() in _STREAMS:
        return text.lower()
    raise BadValue("valid streams are STDIN, STDOUT and STDERR")


def read_variable(text: str) -> str:
    """NAME=value; a bare NAME takes the caller's value where there is one. Raises BadValue."""
    name, equals, _ = text.partition("=")
    if not name:
        raise BadValue(f"invalid environment variable: {text}")
    if equals:
        return text
    value = environment(name)
    return name if value is None else f"{name}={value}"


def read_label(text: str) -> str:
    """Raises BadValue."""
    name = text.partition("=")[0]
    if not name:
        raise BadValue(f"invalid label '{text}': empty name")
    if any(character.isspace() for character in name):
        raise BadValue(f"label '{name}' contains whitespaces")
    return text


FLAGS = (
    Flag("annotation", "", "map", "Note for the OCI runtime, as key=value", gathers=True, since="1.43"),
    Flag("attach", "a", "list", "Attach to STDIN, STDOUT or STDERR", check=read_stream),
    Flag("domainname", "", "string", "NIS domain name inside the container"),
    Flag("entrypoint", "", "string", "Program to run in place of the image's ENTRYPOINT"),
    Flag("env", "e", "list", "Set an environment variable: NAME=value, or NAME for the caller's value",
         check=read_variable),
    Flag("env-file", "", "list", "Take environment variables from a file, one per line"),
    Flag("hostname", "h", "string", "Host name inside the container"),
    Flag("interactive", "i", "", "Keep stdin open even if nothing is attached"),
    Flag("label", "l", "list", "Put a label on the container: name=value", check=read_label),
    Flag("label-file", "", "list", "Take labels from a file, one per line"),
    Flag("tty", "t", "", "Give the program a terminal"),
    Flag("user", "u", "string", "User to run as: <name|uid>[:<group|gid>]"),
    Flag("workdir", "w", "string", "Working directory inside the container"),
)  # fmt: skip


def fill(given: Given, body: dict[str, Any], host: dict[str, Any]) -> None:
    """Raises UsageError."""
    _fill_streams(given, body)
    body["Env"] = environment_list(given) or None
    labels = from_files(given["label-file"], "label") + given["label"]
    body["Labels"] = to_map(labels)
    body["Hostname"] = given["hostname"]
    body["Domainname"] = given["domainname"]
    body["User"] = given["user"]
    body["WorkingDir"] = given["workdir"]
    body["Cmd"] = given.operands[1:] or None
    if "entrypoint" in given:
        body["Entrypoint"] = [given["entrypoint"]]
    if given["annotation"]:
        host["Annotations"] = to_map(given["annotation"])


def _fill_streams(given: Given, body: dict[str, Any]) -> None:
    attached = set(given["attach"])
    interactive = given["interactive"]
    if not attached:
        attached = {"stdout", "stderr"}
    if interactive:
        attached.add("stdin")
    body["AttachStdin"] = "stdin" in attached
    body["AttachStdout"] = "stdout" in attached
    body["AttachStderr"] = "stderr" in attached
    body["Tty"] = given["tty"]
    body["OpenStdin"] = interactive
    body["StdinOnce"] = interactive and body["AttachStdin"]


def environment_list(given: Given) -> list[str]:
    """What `--env-file` and `--env` say, in that order. Raises UsageError."""
    return [*from_files(given["env-file"], "env"), *given["env"]]


def to_map(pairs: Iterable[str]) -> dict[str, str]:
    """name=value strings as a mapping; the last of one name counts."""
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def from_files(paths: Iterable[str], kind: str) -> list[str]:
    """The lines of env or label files. Raises UsageError."""
    return [line for path in paths for line in _from_file(path, kind)]


def _from_file(path: str, kind: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError as error:
        raise UsageError(f"lading: open {path}: {(error.strerror or '').lower()}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"lading: invalid {kind} file ({path}): not valid UTF-8") from None
    lines = []
    for line in text.split("\n"):
        line = line.removesuffix("\r").lstrip()
        if not line or line.startswith("#"):
            continue
        name, equals, _ = line.partition("=")
        if not name:
            raise UsageError(f"lading: invalid {kind} file ({path}): no variable name on line '{line}'")
        if any(character.isspace() for character in name):
            raise UsageError(f"lading: invalid {kind} file ({path}): variable '{name}' contains whitespaces")
        value = None if equals or kind != "env" else environment(name)
        if equals:
            lines.append(line)
        elif value is not None:
            lines.append(f"{name}={value}")
    return lines
