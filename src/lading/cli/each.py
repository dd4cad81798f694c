"""The same deed for each of several objects: one failure does not keep the others from it."""

from __future__ import annotations

from lading.cli.say import err, out
from lading.client import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def for_each(names: Iterable[str], deed: Callable[[str], object]) -> int:
    """Does it and prints each name; 1 if any failed. Raises what the connection raises."""
    failures = []
    for name in names:
        try:
            deed(name)
        except ApiError as refusal:
            failures.append(f"Error response from daemon: {refusal.message}")
        else:
            out(name)
    if failures:
        err("\n".join(failures))
    return 1 if failures else 0
