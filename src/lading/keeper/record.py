"""Exit records: written before an exit is announced, kept until the daemon has dealt with it."""

from __future__ import annotations

import json
import os

from lading.keeper.wire import Message

_FIELDS = ("key", "container", "exec", "pid", "started_ns", "code", "finished_ns", "oom", "reason")


def write(facts: Message) -> None:
    """Writes the record of an ended process where its launch said. Raises OSError.

    Not synced: what a power failure takes, it takes together with the containers.
    """
    path = facts["record"]
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump({name: facts.get(name) for name in _FIELDS}, file)
    os.rename(temporary, path)


def read(facts: Message) -> Message | None:
    """The record of this very process, if it has ended and was recorded."""
    try:
        with open(facts["record"], encoding="utf-8") as file:
            record = json.load(file)
    except (OSError, ValueError):
        return None
    same = record.get("pid") == facts["pid"] and record.get("started_ns") == facts["started_ns"]
    return record if same else None


def remove(path: str) -> None:
    """Forgets a record; there may be none."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
