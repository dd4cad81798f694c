"""A container's state in words, as `docker ps` shows it. Pure."""

from lading.containers.health import Verdict
from lading.containers.record import State, Status
from lading.units import human_duration


def status_text(state: State, now_ns: int) -> str:
    """ "Up 3 minutes", "Exited (0) 2 seconds ago" and so on."""
    if state.status is Status.RUNNING and state.health is not None:
        status = state.health.status
        shown = f"health: {status}" if status is Verdict.STARTING else status
        return f"Up {human_duration(now_ns - state.started_ns)} ({shown})"
    if state.status is Status.RUNNING:
        return f"Up {human_duration(now_ns - state.started_ns)}"
    if state.status is Status.PAUSED:
        return f"Up {human_duration(now_ns - state.started_ns)} (Paused)"
    if state.status is Status.RESTARTING:
        return f"Restarting ({state.exit_code}) {human_duration(now_ns - state.finished_ns)} ago"
    if state.status is Status.REMOVING:
        return "Removal In Progress"
    if state.status is Status.DEAD:
        return "Dead"
    if state.finished_ns == 0:
        return "Created"
    return f"Exited ({state.exit_code}) {human_duration(now_ns - state.finished_ns)} ago"


def command_text(path: str, args: list[str]) -> str:
    """The COMMAND column: words with spaces in single quotes."""
    return " ".join([path, *(f"'{word}'" if " " in word else word for word in args)])
