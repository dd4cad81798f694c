"""What the OCI runtime is told of a container: gathered here, composed by `runtime.spec`."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from lading.containers.context import Context
from lading.containers.linking import check_links, linked_env
from lading.containers.record import Container
from lading.containers.shm import ipc_giver, running_giver, shm_of
from lading.errors import InvalidParameter
from lading.linux import cgroups
from lading.runtime import block_devices_of, cdi_edits, devices_of, look_up_user
from lading.runtime.spec import (
    UNCONFINED,
    Namespaces,
    SpecRequest,
    build,
    environment,
    exec_process,
    granted,
    parse_security_options,
    seccomp,
)
from lading.schema.container import ExecConfig, HostConfig

CGROUP_PARENT = "/lading"


async def gather(
    ctx: Context, container: Container, root: str, mounts: Sequence[Mapping[str, Any]]
) -> SpecRequest:
    """What config.json is made of, all but the namespaces. Raises LadingError."""
    definition = container.definition
    config, host = definition.config, definition.host
    check_links(ctx, container)
    user = look_up_user(root, config.user, host.group_add)
    profile = _profile(ctx, host)
    annotations = None
    if profile is not None:
        annotations = await ctx.filters.annotation(host.runtime, profile)
    parent = cgroup_parent(host.cgroup_parent or ctx.defaults.cgroup_parent)
    cgroups.ensure(parent)
    _allow_realtime(parent, host)
    shares_network = host.network_mode.startswith("container:")
    if host.init and not ctx.defaults.init_path:
        raise InvalidParameter("--init needs an init binary: install tini or catatonit, or set --init-path")
    return SpecRequest(
        container_id=container.id,
        config=config,
        host=host,
        args=[definition.path, *definition.args],
        env=environment(config, user.home, linked=linked_env(ctx, container)),
        rootfs=root,
        namespaces=Namespaces(),
        user=user,
        cgroup_path=f"{parent}/{container.id}",
        facts=ctx.machine,
        etc=_etc_directory(ctx, container, shares_network),
        shm=_shared_memory(ctx, container),
        mounts=mounts,
        devices=devices_of(host),
        block_devices=block_devices_of(host),
        seccomp=profile if annotations is None else None,
        ulimits=ctx.defaults.ulimits,
        init_path=ctx.defaults.init_path,
        no_new_privileges=ctx.defaults.no_new_privileges,
        annotations=annotations or {},
        edits=cdi_edits(host, ctx.defaults.cdi_directories),
    )


def _allow_realtime(parent: str, host: HostConfig) -> None:
    if host.cpu_realtime_runtime <= 0:
        return
    try:
        cgroups.allow_realtime(parent, host.cpu_realtime_runtime, host.cpu_realtime_period)
    except OSError:
        raise InvalidParameter(
            f"the kernel has no {host.cpu_realtime_runtime} microseconds of real-time scheduling left to give"
        ) from None


def compose(ctx: Context, container: Container, request: SpecRequest) -> bytes:
    """The content of config.json, once the container's network is known. Raises LadingError."""
    return msgspec.json.encode(build(replace(request, namespaces=_namespaces(ctx, container))))


def cgroup_parent(wanted: str) -> str:
    """The group above the containers' own, from what the client or the daemon's settings say.

    Raises InvalidParameter for what the kernel takes for no name.
    """
    if "\n" in wanted:
        raise InvalidParameter(f"invalid cgroup parent {wanted!r}: it must not contain a line end")
    # A path of its own: with ".." in it, it would lead out of the control groups.
    return posixpath.normpath(f"/{wanted.strip('/')}") if wanted else CGROUP_PARENT


def exec_process_of(ctx: Context, container: Container, wish: ExecConfig) -> dict[str, Any]:
    """The OCI process object of an exec. Raises InvalidParameter for an unknown user."""
    config, host = container.definition.config, container.definition.host
    # Through the process's own root: where the container has mounted over /etc, that counts.
    user = look_up_user(f"/proc/{container.state.pid}/root", wish.user or config.user, host.group_add)
    defaults = ctx.defaults
    return exec_process(
        wish,
        config,
        host,
        ctx.machine,
        user,
        defaults.no_new_privileges,
        defaults.ulimits,
        linked_env(ctx, container),
    )


def _profile(ctx: Context, host: HostConfig) -> dict[str, Any] | None:
    wanted = parse_security_options(host.security_opt).seccomp or ctx.defaults.seccomp_profile
    if host.privileged or wanted == UNCONFINED:
        return None
    machine = ctx.machine
    rights = frozenset(
        granted(host.cap_add, host.cap_drop, privileged=host.privileged, known=machine.capabilities)
    )
    if wanted == "builtin":
        return seccomp.default(rights, machine.machine)
    return seccomp.custom(wanted, rights, machine.machine, machine.kernel)


def _namespaces(ctx: Context, container: Container) -> Namespaces:
    host = container.definition.host
    joined = container.state.joined
    network = "host" if host.network_mode == "host" else (joined.netns_path if joined else "")
    return Namespaces(
        network=network,
        pid=_shared(ctx, host.pid_mode, "pid"),
        ipc=_shared(ctx, host.ipc_mode, "ipc"),
        uts="host" if host.uts_mode == "host" else "",
        cgroup="host" if host.cgroupns_mode == "host" else "",
    )


def _shared(ctx: Context, mode: str, kind: str) -> str:
    if mode == "host":
        return "host"
    if mode.startswith("container:"):
        return f"/proc/{running_giver(ctx, mode, kind.upper()).state.pid}/ns/{kind}"
    return ""


def _shared_memory(ctx: Context, container: Container) -> str:
    mode = container.definition.host.ipc_mode
    if mode.startswith("container:"):
        return shm_of(ctx, ipc_giver(ctx, mode))
    return shm_of(ctx, container) if mode == "shareable" else ""


def _etc_directory(ctx: Context, container: Container, shares_network: bool) -> str:
    if not shares_network:
        return ctx.layout.container(container.id)
    other = ctx.registry.find(container.definition.host.network_mode.partition(":")[2])
    return ctx.layout.container(other.id)
