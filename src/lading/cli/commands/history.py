"""`lading history`."""

from __future__ import annotations

import time

from lading.cli.ages import ago, cut, rough_size, short
from lading.cli.command import Command
from lading.cli.flags import Flag
from lading.cli.listing import FORMAT_HELP, Row, print_list
from lading.cli.platform import FORM_HELP, platform_query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session

_COMMAND_WIDTH = 45
_YEAR_2000 = 946_684_800
_TABLE = "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"


class HistoryRow(Row):
    """One step of an image's making (Engine API 1.51, "HistoryResponseItem")."""

    HEADERS = {
        "Comment": "COMMENT",
        "CreatedAt": "CREATED AT",
        "CreatedBy": "CREATED BY",
        "CreatedSince": "CREATED",
        "ID": "IMAGE",
        "Size": "SIZE",
    }

    def __init__(self, step: dict[str, Any], truncate: bool, human: bool) -> None:
        self._step = step
        self._truncate = truncate
        self._human = human

    def ID(self) -> str:
        identifier: str = self._step["Id"]
        return short(identifier) if self._truncate else identifier

    def CreatedAt(self) -> str:
        there = time.localtime(self._step["Created"])
        zone = time.strftime("%z", there)
        zone = "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"
        return time.strftime("%Y-%m-%dT%H:%M:%S", there) + zone

    def CreatedSince(self) -> str:
        created = self._step["Created"]
        if not self._human:
            return self.CreatedAt()
        # Builders that want the same image twice write the epoch.
        return ago(created) if created > _YEAR_2000 else "N/A"

    def CreatedBy(self) -> str:
        command: str = self._step.get("CreatedBy", "").replace("\t", " ")
        return cut(command, _COMMAND_WIDTH) if self._truncate else command

    def Size(self) -> str:
        size = self._step.get("Size", 0)
        return rough_size(size) if self._human else str(size)

    def Comment(self) -> str:
        return str(self._step.get("Comment", ""))


def run(session: Session, given: Given) -> None:
    query = platform_query("platform", given["platform"], "invalid platform: ")
    steps = session.client.get(f"/images/{given.operands[0]}/history", query)
    human = given["human"]
    rows = [HistoryRow(step, not given["no-trunc"], human) for step in steps]
    table = _TABLE if human else _TABLE.replace("Since", "At")
    print_list(rows, HistoryRow, given["format"], table, given["quiet"])


COMMAND = Command(
    "history",
    "IMAGE",
    "Show the history of an image",
    (
        Flag("format", "", "string", FORMAT_HELP),
        Flag("human", "H", "", "Print sizes and dates in human readable format (default true)", default=True),
        Flag("no-trunc", "", "", "Don't truncate output"),
        Flag(
            "platform",
            "",
            "string",
            f"Show history for the given platform. {FORM_HELP}",
            since="1.48",
        ),
        Flag("quiet", "q", "", "Only show image IDs"),
    ),
    run,
    least=1,
    most=1,
    aliases=("image history", "history"),
)
