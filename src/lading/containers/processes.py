"""What `ps` says, narrowed to one container's processes. Pure.

Source: moby 28, daemon/top_unix.go.
"""

import re
from collections.abc import Collection
from typing import Any

from lading.errors import InternalError, InvalidParameter

DEFAULT = "-ef"

_RENAMED = re.compile(r"\s+(\S*)=\s*(PID\S*)", re.ASCII)


def check_arguments(text: str) -> None:
    """Raises InvalidParameter where another column would call itself PID, or for the character NUL."""
    if "\0" in text:
        raise InvalidParameter("invalid ps_args: they must not contain the character NUL")
    for name, title in _RENAMED.findall(text):
        if name != "pid":
            raise InvalidParameter(f'specifying "{name}={title}" is not allowed')


def narrowed(output: str, pids: Collection[int]) -> dict[str, Any]:
    """The lines about `pids` as the API's ContainerTopResponse.

    Raises InternalError where there is no PID column.
    """
    heading, *lines = output.split("\n")
    titles = _words(heading)
    if "PID" not in titles:
        raise InternalError("Couldn't find PID field in ps output")
    column = titles.index("PID")
    processes: list[list[str]] = []
    ours = False
    for line in lines:
        words = _words(line)
        if not words:
            continue
        shown = words[column] if column < len(words) else ""
        # "-" stands for a thread of the process before.
        if shown != "-":
            if not shown.isdecimal():
                raise InternalError(f"Unexpected pid '{shown}'")
            ours = int(shown) in pids
        if ours:
            last = len(titles) - 1
            processes.append([*words[:last], " ".join(words[last:])])
    return {"Processes": processes or None, "Titles": titles}


def _words(line: str) -> list[str]:
    # Other blanks of Unicode may be part of a command.
    return [word for word in re.split(r"[\t\n\v\f\r ]+", line) if word]
