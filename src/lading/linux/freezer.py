"""Halting every process of a control group, and letting it go on.

A group is named as in `cgroups`. Source: kernel documentation,
admin-guide/cgroup-v1/freezer-subsystem and admin-guide/cgroup-v2, "cgroup.freeze".
"""

from lading.linux import cgroups


def ask(group: str, frozen: bool, root: str = cgroups.ROOT) -> None:
    """Asks the kernel to freeze `group` or to thaw it; that takes a moment. Raises OSError.

    With version 1 the freezing may get stuck half-way; asking again helps.
    """
    unified = cgroups.version(root) == 2
    path = f"{root}{group}/cgroup.freeze" if unified else f"{root}/freezer{group}/freezer.state"
    word = str(int(frozen)) if unified else ("FROZEN" if frozen else "THAWED")
    with open(path, "w", encoding="ascii") as file:
        file.write(word)


def is_frozen(group: str, root: str = cgroups.ROOT) -> bool:
    """Whether all of `group` has come to a halt; False where the group is gone."""
    try:
        if cgroups.version(root) == 2:
            with open(f"{root}{group}/cgroup.events", encoding="ascii") as file:
                return "frozen 1" in file.read().splitlines()
        with open(f"{root}/freezer{group}/freezer.state", encoding="ascii") as file:
            return file.read().strip() == "FROZEN"
    except OSError:
        return False
