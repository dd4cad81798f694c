"""What the keeper wrote of a process's end, read where no keeper is left to tell it."""

import json

from lading.runtime.words import Exit


def left_record(path: str, key: str, pid: int) -> Exit | None:
    """The recorded end of that very process, or None. The keeper writes it whole or not at all."""
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
        if record["key"] != key or record["pid"] != pid:
            return None
        return Exit(
            key=key,
            container_id=record["container"],
            exec_id=record["exec"],
            code=record["code"],
            finished_ns=record["finished_ns"],
            oom=bool(record["oom"]),
            reason=record.get("reason") or "",
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
