"""The `process` object: what runs, as whom, with which rights. Pure.

Source: runtime-spec 1.2, config.md, "POSIX process".
"""

from collections.abc import Sequence
from typing import Any

from lading.runtime.spec import capabilities
from lading.runtime.spec.environment import environment
from lading.runtime.spec.request import HostFacts, SpecRequest, User
from lading.runtime.spec.rlimits import rlimits
from lading.runtime.spec.security import UNCONFINED, parse_security_options
from lading.schema.container import ContainerConfig, ExecConfig, HostConfig, Ulimit

INIT_TARGET = "/sbin/docker-init"
"""Where the init program of `--init` appears; docker's name, which `docker top` and users know."""


def process(request: SpecRequest) -> dict[str, Any]:
    """The container's own process. Raises InvalidParameter."""
    config, host = request.config, request.host
    args = [INIT_TARGET, "--", *request.args] if request.with_init else list(request.args)
    return {
        "terminal": config.tty,
        **_console(host.console_size if config.tty else None),
        "args": args,
        "env": list(request.env),
        "cwd": config.working_dir or "/",
        **_rights(host, request.facts, request.user, privileged=host.privileged),
        **_restraints(host, request.no_new_privileges, request.ulimits),
    }


def exec_process(
    config: ExecConfig,
    container: ContainerConfig,
    host: HostConfig,
    facts: HostFacts,
    user: User,
    default_no_new_privileges: bool = False,
    default_ulimits: Sequence[Ulimit] = (),
    linked: Sequence[str] = (),
) -> dict[str, Any]:
    """The process object of an exec, for `crun exec --process`: the container's environment and rights.

    `linked` are the variables that tell of linked containers.

    `--privileged` gives every capability; the container's seccomp filter stays.
    """
    return {
        "terminal": config.tty,
        **_console(config.console_size if config.tty else None),
        "args": list(config.cmd or []),
        "env": environment(container, user.home, tty=config.tty, linked=linked, more=config.env or ()),
        "cwd": config.working_dir or container.working_dir or "/",
        **_rights(host, facts, user, privileged=host.privileged or config.privileged),
        **_restraints(host, default_no_new_privileges, default_ulimits),
    }


def _console(size: Sequence[int] | None) -> dict[str, Any]:
    if not size or not any(size):
        return {}
    return {"consoleSize": {"height": size[0], "width": size[1]}}


def _rights(host: HostConfig, facts: HostFacts, user: User, *, privileged: bool) -> dict[str, Any]:
    granted = capabilities.granted(
        host.cap_add, host.cap_drop, privileged=privileged, known=facts.capabilities
    )
    # Others than root gain rights only through set-user-ID programs: never inheritable or ambient ones.
    held = granted if user.uid == 0 else []
    rights: dict[str, Any] = {
        # Saying the primary group as well drops the one this process's parent had (CVE-2022-36109).
        "user": {
            "uid": user.uid,
            "gid": user.gid,
            "additionalGids": list(dict.fromkeys((user.gid, *user.groups))),
        },
        "capabilities": {"bounding": granted, "effective": held, "permitted": held},
    }
    profile = parse_security_options(host.security_opt).apparmor
    if facts.apparmor and (profile or privileged):
        rights["apparmorProfile"] = profile or UNCONFINED
    return rights


def _restraints(
    host: HostConfig, default_no_new_privileges: bool, ulimits: Sequence[Ulimit]
) -> dict[str, Any]:
    wish = parse_security_options(host.security_opt).no_new_privileges
    return {
        "noNewPrivileges": default_no_new_privileges if wish is None else wish,
        # Always said: the engine's own processes are safer from the OOM killer than containers shall be.
        "oomScoreAdj": host.oom_score_adj,
        "rlimits": rlimits(host, ulimits),
    }
