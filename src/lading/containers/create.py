"""Creating containers."""

import asyncio
import os
from contextlib import suppress

from lading.containers import image_mounts, names, restarts
from lading.containers.bundle import cgroup_parent
from lading.containers.changes import MARK
from lading.containers.context import Context, Defaults
from lading.containers.discard import discard, erase
from lading.containers.linking import find_links
from lading.containers.merge import merge, process_args
from lading.containers.network_of import connect_request
from lading.containers.platforms import check_platform
from lading.containers.record import Container, Definition, State, Status
from lading.containers.release import mounted_root
from lading.containers.resize import check_console_size
from lading.containers.signals import parse_signal
from lading.containers.storage_options import layer_limit
from lading.errors import InvalidParameter, LadingError, NotFound
from lading.ids import new_id, short_id
from lading.logs import check_log_config, merge_log_config
from lading.network import check_extra_hosts
from lading.runtime.spec import normalize, validate
from lading.schema.container import ContainerConfig, CreateBody, EndpointSettings, HostConfig
from lading.units import now_ns
from lading.volumes import MountPoint


async def create(
    ctx: Context, name: str | None, body: CreateBody, platform: str = ""
) -> tuple[Container, list[str]]:
    """Makes a container from `body`; returns it with warnings for the user.

    Raises InvalidParameter, NotFound (image, or one for `platform`) or Conflict (name).
    """
    if name:
        name = names.check(name)
        ctx.registry.check_free(name)
    image = ctx.images.resolve(body.image)
    warnings = check_platform(platform, body.image, image.document, ctx.machine.machine)
    config = merge(body, image.config)
    host = body.host_config or HostConfig()
    container_id = new_id()
    warnings += settle(ctx, container_id, config, host)
    endpoints = _endpoints(ctx, host, body)
    mounts = ctx.volumes.plan(config, host, _volumes_from(ctx, host))
    mounts = image_mounts.resolve(ctx, container_id, mounts)

    words = process_args(config)
    definition = Definition(
        id=container_id,
        created_ns=now_ns(),
        image_id=image.id,
        chain_id=image.chain_id,
        path=words[0],
        args=words[1:],
        config=config,
        host=host,
        networks=endpoints,
        mounts=mounts,
        links=find_links(ctx, host),
    )
    container = Container(name or names.invent(ctx.registry.names), definition, State())
    if not host.network_mode.startswith("container:"):
        # As dockerd, the start tells of a network that is not there: to a create's
        # "not found" the docker command answers by pulling the image.
        with suppress(NotFound):
            ctx.networks.check(connect_request(container))
    # The name is taken before the first await, so that two clients cannot both get it.
    ctx.registry.add(container)
    # As a rule it is started next.
    ctx.runtime.expect()
    try:
        await container.worker.do(lambda: _make(ctx, container))
    except asyncio.CancelledError:
        # The client has gone, and nobody would know of the container.
        ctx.background.spawn(container.worker.do(lambda: _forsake(ctx, container)), "undo create")
        raise
    ctx.publish(container, "create")
    return container, warnings


async def _forsake(ctx: Context, container: Container) -> None:
    # Somebody who knows its name may have put it to use.
    if container.state.status is Status.CREATED and not container.state.error:
        await discard(ctx, container, volumes=True)


async def _make(ctx: Context, container: Container) -> None:
    try:
        await _lay_out(ctx, container)
    except BaseException:
        await erase(ctx, container, volumes=True)
        container.announce("next-exit", "not-running", "removed")
        raise


async def _lay_out(ctx: Context, container: Container) -> None:
    definition = container.definition
    directory = ctx.layout.container(container.id)
    os.makedirs(directory, mode=0o710)
    with ctx.store.database.transaction():
        limit = layer_limit(definition.host, can_limit=True)
        ctx.snapshots.prepare(container.id, definition.chain_id, limit, MARK)
        image_mounts.prepare(ctx, container.id, definition.mounts)
        definition.mounts = ctx.volumes.ensure(container.id, definition.mounts)
        ctx.store.insert(container)
    await ctx.volumes.fill(container.id, definition.mounts, mounted_root(ctx, container))


def settle(ctx: Context, container_id: str, config: ContainerConfig, host: HostConfig) -> list[str]:
    """Fills in what the daemon decides and checks the whole; returns warnings.

    Raises InvalidParameter.
    """
    defaults = ctx.defaults
    settle_host(host, defaults, ctx.runtime.default_runtime, ctx.machine.cgroup_version)
    restarts.check(host.restart_policy, host.auto_remove)
    check_log_config(host.log_config)
    ctx.runtime.check_runtime(host.runtime)
    check_extra_hosts(host.extra_hosts or ())
    check_console_size(host.console_size)
    cgroup_parent(host.cgroup_parent)
    if config.stop_signal:
        parse_signal(config.stop_signal)
    warnings = validate(config, host, ctx.machine)
    if host.storage_opt:
        layer_limit(host, can_limit=ctx.snapshots.can_limit())
    if host.network_mode == "host" or host.uts_mode == "host":
        config.hostname = config.hostname or os.uname().nodename
    config.hostname = config.hostname or short_id(container_id)
    return warnings


def settle_host(host: HostConfig, defaults: Defaults, runtime: str, cgroup_version: int) -> None:
    """Puts the daemon's defaults where the client said nothing. Pure."""
    if host.network_mode in ("", "default"):
        host.network_mode = "bridge"
    host.restart_policy.name = host.restart_policy.name or "no"
    host.ipc_mode = host.ipc_mode or "private"
    host.cgroupns_mode = host.cgroupns_mode or ("private" if cgroup_version == 2 else "host")
    host.runtime = host.runtime or defaults.runtime or runtime
    host.shm_size = host.shm_size or defaults.shm_size
    if host.pids_limit is not None and host.pids_limit <= 0:
        # Every number below one is a word for no limit.
        host.pids_limit = None
    host.log_config = merge_log_config(host.log_config, defaults.log)
    if host.memory and not host.memory_swap:
        host.memory_swap = min(host.memory * 2, (1 << 63) - 1)
    if host.init is None and defaults.init:
        host.init = True
    host.cap_add = sorted(normalize(host.cap_add)) if host.cap_add else host.cap_add
    host.cap_drop = sorted(normalize(host.cap_drop)) if host.cap_drop else host.cap_drop


def _endpoints(ctx: Context, host: HostConfig, body: CreateBody) -> dict[str, EndpointSettings]:
    """What is asked of each network, by its name; that of the network mode comes first."""
    asked = (body.networking_config.endpoints_config if body.networking_config else None) or {}
    if host.network_mode.startswith("container:"):
        return {}
    mode = _name_of(ctx, host.network_mode)
    found = {mode: EndpointSettings()}
    for reference, settings in asked.items():
        name = mode if reference == "default" else _name_of(ctx, reference)
        found[name] = settings or found.get(name) or EndpointSettings()
    found[mode].mac_address = found[mode].mac_address or body.mac_address
    return found


def _name_of(ctx: Context, reference: str) -> str:
    try:
        return ctx.networks.record(reference).name
    except LadingError:
        # The start tells of it.
        return reference


def _volumes_from(ctx: Context, host: HostConfig) -> dict[str, list[MountPoint]]:
    names = [entry.partition(":")[0] for entry in host.volumes_from or [] if entry]
    try:
        return {name: ctx.registry.find(name).definition.mounts for name in names}
    except NotFound as error:
        # Not found would mean to clients that the image is missing.
        raise InvalidParameter(error.message) from None
