"""Whether the kernel's OOM killer struck in a control group."""

from __future__ import annotations


def events_file(pid: int) -> str | None:
    """The file that counts the OOM killer's victims in the group of a process that has not ended."""
    path = None
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
            for line in file:
                _, controllers, group = line.rstrip("\n").split(":", 2)
                # The root group counts what is no container's.
                if group == "/":
                    continue
                if "memory" in controllers.split(","):
                    return f"/sys/fs/cgroup/memory{group}/memory.oom_control"
                if not controllers:
                    path = f"/sys/fs/cgroup{group}/memory.events"
    except (OSError, ValueError):
        return None
    return path


def struck(path: str | None) -> bool:
    """Whether there was a victim; no, where the file has gone."""
    if path is None:
        return False
    try:
        with open(path, encoding="ascii") as file:
            words = file.read().split()
        return int(words[words.index("oom_kill") + 1]) > 0
    except (OSError, ValueError, IndexError):
        return False
