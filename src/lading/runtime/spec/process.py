"""The `process` object: what runs, as whom, with which rights. Pure.

Source: runtime-spec 1.2, config.md, "POSIX process".
"""

from collections.abc import Sequence
from typing import Any

from lading.runtime.spec import capabilities
from lading.runtime.spec.request import HostFacts, User
from lading.runtime.spec.security import SecurityOptions, parse_security_options
from lading.schema.container import ContainerConfig, ExecConfig, HostConfig

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def environment(config: ContainerConfig, home: str) -> list[str]:
    """The variables of a container's process: docker's own first, so that the user's win."""
    own = {"PATH": PATH, "HOSTNAME": config.hostname}
    if config.tty:
        own["TERM"] = "xterm"
    return _with_home([f"{key}={value}" for key, value in own.items()], config.env or [], home)


def _with_home(base: Sequence[str], given: Sequence[str], home: str) -> list[str]:
    merged: dict[str, str] = {}
    for entry in (*base, *given):
        name, separator, value = entry.partition("=")
        if separator:
            merged[name] = value
        else:
            # `-e NAME` without a value takes a variable away.
            merged.pop(name, None)
    merged.setdefault("HOME", home)
    return [f"{name}={value}" for name, value in merged.items()]


def process(
    config: ContainerConfig,
    host: HostConfig,
    facts: HostFacts,
    user: User,
    args: Sequence[str],
    env: Sequence[str],
    options: SecurityOptions,
    default_no_new_privileges: bool,
) -> dict[str, Any]:
    """The container's own process."""
    granted = capabilities.granted(
        host.cap_add, host.cap_drop, privileged=host.privileged, known=facts.capabilities
    )
    result: dict[str, Any] = {
        "terminal": config.tty,
        "user": _user(user),
        "args": list(args),
        "env": list(env),
        "cwd": config.working_dir or "/",
        "capabilities": _sets(granted, user.uid),
        "noNewPrivileges": _no_new_privileges(options, default_no_new_privileges),
        "oomScoreAdj": host.oom_score_adj,
    }
    if config.tty and host.console_size and any(host.console_size):
        result["consoleSize"] = {"height": host.console_size[0], "width": host.console_size[1]}
    if host.ulimits:
        result["rlimits"] = [
            {"type": f"RLIMIT_{limit.name.upper()}", "soft": _limit(limit.soft), "hard": _limit(limit.hard)}
            for limit in host.ulimits
        ]
    if options.apparmor:
        result["apparmorProfile"] = options.apparmor
    return result


def exec_process(
    config: ExecConfig,
    container: ContainerConfig,
    host: HostConfig,
    facts: HostFacts,
    user: User,
    default_no_new_privileges: bool = False,
) -> dict[str, Any]:
    """The process object of an exec: the container's environment and rights, the exec's wishes."""
    base = environment(container, user.home)
    if config.tty:
        base = ["TERM=xterm", *base]
    granted = capabilities.granted(
        host.cap_add, host.cap_drop, privileged=host.privileged or config.privileged, known=facts.capabilities
    )
    options = parse_security_options(host.security_opt)
    return {
        "terminal": config.tty,
        "user": _user(user),
        "args": list(config.cmd or []),
        "env": _with_home(base, config.env or [], user.home),
        "cwd": config.working_dir or container.working_dir or "/",
        "capabilities": _sets(granted, user.uid),
        "noNewPrivileges": _no_new_privileges(options, default_no_new_privileges),
    }


def _user(user: User) -> dict[str, Any]:
    return {"uid": user.uid, "gid": user.gid, "additionalGids": list(user.groups)}


def _sets(granted: list[str], uid: int) -> dict[str, list[str]]:
    """The bounding set for everybody; effective rights only for root. Never inheritable or ambient ones."""
    held = granted if uid == 0 else []
    return {"bounding": granted, "effective": held, "permitted": held}


def _no_new_privileges(options: SecurityOptions, default: bool) -> bool:
    return default if options.no_new_privileges is None else options.no_new_privileges


def _limit(value: int) -> int:
    return value if value >= 0 else 2**64 - 1
