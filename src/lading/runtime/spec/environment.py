"""The environment variables of a container's processes. Pure."""

from collections.abc import Sequence

from lading.schema.container import ContainerConfig

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where a process of a container looks for programs if the image does not say."""


def environment(
    config: ContainerConfig,
    home: str,
    *,
    tty: bool | None = None,
    linked: Sequence[str] = (),
    more: Sequence[str] = (),
) -> list[str]:
    """The variables of a process: the engine's own, over them the container's, over them `more`.

    `home` is the user's home directory; `tty` says whether the process has a
    terminal, by default as the container's own process; `linked` tells of
    linked containers.
    """
    merged = {"PATH": PATH, "HOSTNAME": config.hostname}
    if config.tty if tty is None else tty:
        merged["TERM"] = "xterm"
    for entry in (*linked, *(config.env or []), *more):
        name, separator, value = entry.partition("=")
        if separator:
            merged[name] = value
        else:
            # `-e NAME` without a value takes a variable away.
            merged.pop(name, None)
    merged.setdefault("HOME", home)
    return [f"{name}={value}" for name, value in merged.items()]
