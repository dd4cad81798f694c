"""Control groups: which version is mounted, what it controls, what is left over.

Source: kernel documentation, admin-guide/cgroup-v1 and admin-guide/cgroup-v2.
"""

import os

ROOT = "/sys/fs/cgroup"
_V2_FILE = f"{ROOT}/cgroup.controllers"


def version() -> int:
    """2 where the unified hierarchy alone is mounted, else 1 (also for "hybrid")."""
    return 2 if os.path.exists(_V2_FILE) else 1


def controllers() -> frozenset[str]:
    """The controllers this machine has, by their names in version 2 where both have one."""
    try:
        with open(_V2_FILE, encoding="ascii") as file:
            return frozenset(file.read().split())
    except OSError:
        pass
    with open("/proc/cgroups", encoding="ascii") as file:
        rows = [line.split() for line in file if not line.startswith("#")]
    return frozenset(row[0] for row in rows if row[3] == "1")


def _hierarchies() -> list[str]:
    if version() == 2:
        return [ROOT]
    return [entry.path for entry in os.scandir(ROOT) if entry.is_dir(follow_symlinks=False)]


def children(group: str) -> set[str]:
    """The names of the groups directly below `group` ("/lading"), in any hierarchy."""
    names: set[str] = set()
    for hierarchy in _hierarchies():
        try:
            names.update(entry.name for entry in os.scandir(f"{hierarchy}{group}") if entry.is_dir())
        except OSError:
            continue
    return names


def remove(group: str) -> bool:
    """Removes `group` and what is below it in every hierarchy; False where processes are still in it."""
    emptied = True
    for hierarchy in _hierarchies():
        for directory, _, _ in os.walk(f"{hierarchy}{group}", topdown=False):
            try:
                os.rmdir(directory)
            except OSError:
                emptied = False
    return emptied
