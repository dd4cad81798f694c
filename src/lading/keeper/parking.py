"""Connections that the daemon is to answer later, kept for the case that it is another daemon by then.

Nobody reads or writes them here.
"""

from __future__ import annotations

import os

from lading.keeper.wire import Message

# One packet carries 250 descriptors; what is parked beyond that ends with its daemon.
_MOST = 240


class Parking:
    """Parked connections by number, each with what its daemon said about it."""

    def __init__(self) -> None:
        self._parked: dict[int, tuple[Message, int]] = {}
        self._last = 0

    def park(self, about: Message, connection: int, number: int | None = None) -> int:
        """Keeps a duplicate of `connection`; the number to ask for it by, 0 where there is no room.

        `number` is the one it had with a keeper that died.
        """
        if len(self._parked) >= _MOST:
            return 0
        number = number or self._last + 1
        self._last = max(self._last, number)
        self._parked[number] = (about, os.dup(connection))
        return number

    def unpark(self, number: int) -> None:
        """Lets go of one; it may be gone already."""
        _, connection = self._parked.pop(number, ({}, -1))
        if connection >= 0:
            os.close(connection)

    def all(self) -> tuple[Message, dict[str, int]]:
        """What was said of each, and the descriptors, both by number."""
        abouts = {str(number): about for number, (about, _) in self._parked.items()}
        return abouts, {str(number): connection for number, (_, connection) in self._parked.items()}

    def state(self) -> Message:
        """What the same keeper needs to go on holding them after it has replaced itself."""
        held = [
            {"number": number, "about": about, "descriptor": connection}
            for number, (about, connection) in self._parked.items()
        ]
        return {"held": held, "last": self._last}

    def resume(self, state: Message) -> None:
        """Goes on from `state`, whose descriptors are now ours."""
        self._last = state["last"]
        self._parked = {each["number"]: (each["about"], each["descriptor"]) for each in state["held"]}
