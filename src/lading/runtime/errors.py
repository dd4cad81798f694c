"""What the OCI runtime says went wrong, in the words docker's clients look for. Pure.

The docker CLI exits with 127 where a start error holds "executable file not
found" or "no such file or directory", with 126 for "permission denied" and "is
a directory" (cli/command/container/run.go); dockerd gives the container the
same codes and 128 otherwise (daemon/start.go).
"""

import json
import re

from lading.errors import LadingError

NOT_FOUND, NOT_EXECUTABLE, FAILED = 127, 126, 128
_REFUSED = ("invalid argument", "numerical result out of range")


class LaunchError(LadingError):
    """The OCI runtime could not start the process.

    `exit_code` is what the container's state, or the exec's, shows: 126 not
    executable, 127 not found, 128 anything else. Status 400 where the command
    or a value the kernel refuses is to blame, else 500.
    """

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        refused = any(reason in message for reason in _REFUSED)
        self.status = 400 if refused or exit_code != FAILED else 500


class LaunchInterrupted(LaunchError):
    """The keeper died meanwhile: the process is to blame for nothing, and may have done something."""


def launch_error(text: str, argv0: str, runtime: str) -> LaunchError:
    """The error of starting a container, from the runtime's log."""
    cause = _cause(_last_message(text), argv0)
    if cause.startswith("exec: "):
        cause = f"runc create failed: unable to start container process: {cause}"
    elif not cause.startswith("runc "):
        cause = f"{runtime}: {cause}"
    cause = cause.replace("runc run failed: ", "runc create failed: ", 1)
    return _error(
        f"failed to create task for container: failed to create shim task: OCI runtime create failed: {cause}"
    )


def exec_error(text: str, argv0: str, runtime: str) -> LaunchError:
    """The error of an exec, from the runtime's log."""
    cause = _cause(_last_message(text), argv0)
    if cause.startswith("exec: "):
        cause = f"exec failed: unable to start container process: {cause}"
    elif not cause.startswith("exec failed: "):
        cause = f"{runtime}: {cause}"
    return _error(f"OCI runtime exec failed: {cause}")


def _error(message: str) -> LaunchError:
    code = FAILED
    if "executable file not found" in message or "no such file or directory" in message:
        code = NOT_FOUND
    if "permission denied" in message or "is a directory" in message:
        code = NOT_EXECUTABLE
    if "not a directory" in message:
        code = NOT_EXECUTABLE
        message += (
            ": Are you trying to mount a directory onto a file (or vice-versa)? "
            "Check if the specified host path exists and is the expected type"
        )
    return LaunchError(f"{message}: unknown", code)


_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z?:? ")


def _last_message(text: str) -> str:
    """The runtime's final word; it logs text or JSON, a line each, errors after warnings."""
    lines = [line for line in text.splitlines() if line.strip()]
    said = [_message(line) for line in lines]
    errors = [message for level, message in said if level in ("error", "fatal")]
    if errors:
        return errors[-1]
    return said[-1][1] if said else "the OCI runtime gave no reason"


def _message(line: str) -> tuple[str, str]:
    try:
        entry = json.loads(line)
        return str(entry.get("level", "")), str(entry["msg"])
    except (ValueError, KeyError, AttributeError):
        return "", _STAMP.sub("", line)


_MISSING = re.compile(r"executable file `(?P<path>.*?)` not found")
_BARRED = re.compile(
    r"^(open|access) executable: |^open `.*`: (Permission denied|Operation not permitted)"
    r"|exists but it is not executable|^the path `.*` is not executable",
    re.IGNORECASE,
)
_DIRECTORY = re.compile(r"^the path `.*` is not a regular file")
_FORMAT = re.compile(r"^exec(?: container process)?.*?: (?P<reason>[^:]+)$")
# crun ends its messages with strerror(3); docker's clients compare Go's spelling of it.
_SPELLINGS = (
    "No such file or directory",
    "Permission denied",
    "Is a directory",
    "Not a directory",
    "Operation not permitted",
    "Exec format error",
    "File exists",
    "No space left on device",
    "Device or resource busy",
    "Invalid argument",
    "Numerical result out of range",
)


def _cause(message: str, argv0: str) -> str:
    """crun's words for what runc says otherwise."""
    missing = _MISSING.search(message)
    if missing:
        path = missing["path"]
        if "/" in path:
            return f'exec: "{path}": stat {path}: no such file or directory'
        return f'exec: "{path}": executable file not found in $PATH'
    if _DIRECTORY.search(message):
        return f'exec: "{argv0}": is a directory'
    if _BARRED.search(message):
        return f'exec: "{argv0}": permission denied'
    for spelling in _SPELLINGS:
        message = message.replace(spelling, spelling[0].lower() + spelling[1:])
    if message.startswith("exec") and not message.startswith("exec failed") and _FORMAT.match(message):
        return f'exec: "{argv0}": {message.rpartition(": ")[2]}'
    return message
