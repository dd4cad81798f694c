"""`lading stats`."""

from __future__ import annotations

import time

from lading.cli.ages import binary_size, rough_size, short
from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.listing import FORMAT_HELP, Row, check_template, list_text
from lading.cli.say import write
from lading.cli.watching import Watched, Watching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session

_PERIOD = 0.5
_TABLE = "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}"
# Terminal control (ECMA-48): to the upper left corner; erase to the end of the line, of the screen.
_HOME, _ERASE_LINE, _ERASE_BELOW = "\033[H", "\033[K", "\033[J"


class StatsRow(Row):
    """One container's figures; "--" where there are none."""

    HEADERS = {
        "BlockIO": "BLOCK I/O",
        "CPUPerc": "CPU %",
        "Container": "CONTAINER",
        "ID": "CONTAINER ID",
        "MemPerc": "MEM %",
        "MemUsage": "MEM USAGE / LIMIT",
        "Name": "NAME",
        "NetIO": "NET I/O",
        "PIDs": "PIDS",
    }

    def __init__(self, watched: Watched, truncate: bool) -> None:
        self._container = watched.name
        self._figures = watched.figures
        self._valid = watched.valid
        self._truncate = truncate

    def Container(self) -> str:
        return self._container

    def Name(self) -> str:
        return self._figures.name[1:] or "--"

    def ID(self) -> str:
        return short(self._figures.identifier) if self._truncate else self._figures.identifier

    def CPUPerc(self) -> str:
        return f"{self._figures.processor:.2f}%" if self._valid else "--"

    def MemUsage(self) -> str:
        if not self._valid:
            return "-- / --"
        return f"{binary_size(self._figures.memory)} / {binary_size(self._figures.memory_limit)}"

    def MemPerc(self) -> str:
        return f"{self._figures.memory_percent:.2f}%" if self._valid else "--"

    def NetIO(self) -> str:
        return self._pair(self._figures.received, self._figures.sent)

    def BlockIO(self) -> str:
        return self._pair(self._figures.read, self._figures.written)

    def PIDs(self) -> str:
        return str(self._figures.processes) if self._valid else "--"

    def _pair(self, one: int, other: int) -> str:
        return f"{rough_size(one)} / {rough_size(other)}" if self._valid else "--"


def run(session: Session, given: Given) -> None:
    template = session.format(given, "statsFormat")
    check_template(template)
    watching = Watching(session.client, follow=not given["no-stream"], everything=given["all"])
    names = given.operands
    if names:
        for name in names:
            watching.add(name)
    else:
        watching.add_all()
    watching.wait_for_first()
    if names and (complaints := [watched.complaint for watched in watching.all() if watched.complaint]):
        raise CommandFailed("\n".join(complaints))
    if given["no-stream"]:
        if watching.all():
            write(1, _text(watching, given, template).encode())
        return
    while not watching.ended:
        time.sleep(_PERIOD)
        shown = _HOME + _text(watching, given, template)
        lines = "".join(f"{line} {_ERASE_LINE}\n" for line in shown.split("\n"))
        write(1, (lines + _ERASE_BELOW).encode())


def _text(watching: Watching, given: Given, template: str) -> str:
    rows = [StatsRow(watched, not given["no-trunc"]) for watched in watching.all()]
    return list_text(rows, StatsRow, template, _TABLE)


COMMAND = Command(
    "stats",
    "[CONTAINER...]",
    "Show what running containers take, and go on showing it",
    (
        Flag("all", "a", "", "Show all containers, not only running ones"),
        Flag("format", "", "string", FORMAT_HELP),
        Flag("no-stream", "", "", "Show it once"),
        Flag("no-trunc", "", "", "Do not shorten anything"),
    ),
    run,
    aliases=("container stats", "stats"),
)
