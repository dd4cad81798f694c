"""The same deed for each of several objects: one failure does not keep the others from it."""

from __future__ import annotations

from lading.cli.say import err, out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lading.client import Client


def for_each_container(
    client: Client, names: Sequence[str], deed: str, query: Sequence[tuple[str, str]] = ()
) -> int:
    """POST /containers/{name}/{deed} for all at once; prints each name. The exit code: 1 if any failed.

    Raises what the connection raises.
    """
    failures = []
    refusals = client.call_each("POST", [f"/containers/{name}/{deed}" for name in names], query)
    for name, refusal in zip(names, refusals, strict=True):
        if refusal is None:
            out(name)
        else:
            failures.append(f"Error response from daemon: {refusal.message}")
    if failures:
        err("\n".join(failures))
    return 1 if failures else 0
