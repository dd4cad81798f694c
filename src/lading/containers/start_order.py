"""In which order containers are started with the engine. Pure.

An extension of ours, by labels:

`lading.start.after`  names of containers, with commas between, to be started before this one
`lading.start.when`   "started" (the default) or "healthy": what those must be for this one to follow
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

AFTER = "lading.start.after"
WHEN = "lading.start.when"


@dataclass(frozen=True, slots=True)
class Wish:
    """Whom a container is to follow, and whether only when they are healthy."""

    after: tuple[str, ...] = ()
    healthy: bool = False


def wish_of(labels: Mapping[str, str]) -> Wish:
    """What a container's labels ask for."""
    names = (name.strip().removeprefix("/") for name in labels.get(AFTER, "").split(","))
    return Wish(tuple(dict.fromkeys(name for name in names if name)), labels.get(WHEN) == "healthy")


def unknown_when(labels: Mapping[str, str]) -> str | None:
    """A value of the second label that means nothing."""
    value = labels.get(WHEN, "started")
    return None if value in ("started", "healthy") else value


def order(
    wishes: Mapping[str, Wish], present: Collection[str]
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Whom each container is to wait for, and what cannot be had, in words.

    `wishes` has those that are to be started, by name; `present` all who start
    or run already. No one is to wait for those who are neither, nor in a circle.
    """
    problems: list[str] = []
    follows: dict[str, tuple[str, ...]] = {}
    for name, wish in wishes.items():
        follows[name] = tuple(other for other in wish.after if other in present)
        problems += [
            f"container {name} does not wait for {other}, which neither runs nor is to be started"
            for other in wish.after
            if other not in present
        ]
    for circle in _circles(follows):
        problems.append(f"containers {', '.join(sorted(circle))} wait for each other: none of them does")
        for name in circle:
            follows[name] = tuple(other for other in follows[name] if other not in circle)
    return {name: others for name, others in follows.items() if others}, problems


def _circles(follows: Mapping[str, tuple[str, ...]]) -> Iterator[frozenset[str]]:
    """Each set of names that all reach each other; one alone only if it follows itself."""
    reach = {name: _reachable(follows, name) for name, others in follows.items() if others}
    seen: set[str] = set()
    for name, reached in reach.items():
        if name in reached and name not in seen:
            circle = frozenset(other for other in reached if name in reach.get(other, ()))
            seen |= circle
            yield circle


def _reachable(follows: Mapping[str, tuple[str, ...]], name: str) -> set[str]:
    reached: set[str] = set()
    waiting = list(follows[name])
    while waiting:
        other = waiting.pop()
        if other not in reached:
            reached.add(other)
            waiting += follows.get(other, ())
    return reached
