"""A command run inside a running container."""

from collections.abc import Sequence

from msgspec import Struct

from lading.schema.container import ExecConfig
from lading.units import NANOSECOND

_ENDED = 5 * 60 * NANOSECOND
_UNUSED = 24 * 60 * 60 * NANOSECOND


class ExecRecord(Struct, kw_only=True):
    """One exec. It is kept in the database so that its client, whose stream the
    keeper carries on, can still ask for the exit code after a restart."""

    id: str
    container_id: str
    config: ExecConfig
    running: bool = False
    started: bool = False
    exit_code: int | None = None
    pid: int = 0
    created_ns: int = 0
    finished_ns: int = 0

    def outlived(self, now_ns: int) -> bool:
        """Whether nobody can be expected to ask for it any more."""
        if self.running or (self.started and self.exit_code is None):
            return False
        if self.exit_code is None:
            return now_ns - self.created_ns > _UNUSED
        return now_ns - self.finished_ns > _ENDED


def in_events(words: Sequence[str]) -> str:
    """A command as dockerd's events have it: a space follows the program even where no word does."""
    return f"{words[0]} {' '.join(words[1:])}"
