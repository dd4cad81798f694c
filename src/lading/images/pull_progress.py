"""The messages of a pull, as docker's clients draw them. Pure.

Source: moby's `pkg/progress`, `pkg/streamformatter` and `pkg/jsonmessage`; Engine API
1.51, "CreateImageInfo".
"""

from typing import Any

from lading.units import human_size

Message = dict[str, Any]

_WIDTH = 50


def line(status: str, identity: str = "") -> Message:
    """A line that stays."""
    return {"status": status, "id": identity} if identity else {"status": status}


def update(identity: str, action: str, current: int = 0, total: int = 0) -> Message:
    """What happens to a layer now; `current` and `total` are bytes."""
    message: Message = {"status": action, "progressDetail": {}}
    if current > 0:
        message["progressDetail"]["current"] = current
    if total > 0:
        message["progressDetail"]["total"] = total
    if bar := progress_bar(current, total):
        message["progress"] = bar
    if identity:
        message["id"] = identity
    return message


def progress_bar(current: int, total: int) -> str:
    """The bar and the figures that old clients show as they are."""
    if current <= 0 and total <= 0:
        return ""
    if total <= 0:
        return f"{human_size(current):>8}"
    done = min(_WIDTH, int(current / total * 100) // 2)
    bar = f"[{'=' * done}>{' ' * (_WIDTH - done)}] "
    if current > total:
        return f"{bar}{human_size(current):>8}"
    return f"{bar}{human_size(current):>8}/{human_size(total)}"


def short(digest: str) -> str:
    """How a layer is called in messages."""
    return digest.removeprefix("sha256:")[:12]
