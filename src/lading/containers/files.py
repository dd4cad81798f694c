"""The files every container gets from the engine: hostname, hosts, resolv.conf."""

import hashlib
import os
from contextlib import suppress

from lading.containers.context import Context
from lading.containers.linking import linked_hosts, parents
from lading.containers.record import Container
from lading.network import Sandbox, hosts_text, resolv_conf_text

_WRITTEN = "trusted.lading.written"
"""Attribute of a file: the digest of what we wrote into it, so that it shows whether somebody edited it."""


def write_files(ctx: Context, container: Container, sandbox: Sandbox) -> None:
    """Writes all three anew, as docker does at each start."""
    directory = ctx.layout.container(container.id)
    _write(f"{directory}/hostname", f"{container.definition.config.hostname}\n")
    write_hosts(ctx, container, sandbox)
    _write(f"{directory}/resolv.conf", _resolv_conf(ctx, container, sandbox), mark=True)


def rewrite_files(ctx: Context, container: Container, sandbox: Sandbox) -> None:
    """Tells a running container of its networks, but leaves a resolv.conf alone that somebody edited."""
    write_hosts(ctx, container, sandbox)
    path = f"{ctx.layout.container(container.id)}/resolv.conf"
    if not _edited(path):
        _write(path, _resolv_conf(ctx, container, sandbox), mark=True)


def _resolv_conf(ctx: Context, container: Container, sandbox: Sandbox) -> str:
    host, defaults = container.definition.host, ctx.defaults
    return resolv_conf_text(
        sandbox,
        servers=host.dns or list(defaults.dns),
        search=host.dns_search or list(defaults.dns_search),
        options=host.dns_options or list(defaults.dns_options),
    )


def write_hosts(ctx: Context, container: Container, sandbox: Sandbox) -> None:
    """Writes /etc/hosts alone, also while the container runs. Raises Conflict for a bad link."""
    config, host = container.definition.config, container.definition.host
    text = hosts_text(
        sandbox, config.hostname, config.domainname, host.extra_hosts or [], linked_hosts(ctx, container)
    )
    _write(f"{ctx.layout.container(container.id)}/hosts", text)


def tell_parents(ctx: Context, child: Container) -> None:
    """Writes the hosts files of running containers that link to one whose address may be new."""
    for _, parent in parents(ctx, child):
        write_links(ctx, parent)


def write_links(ctx: Context, container: Container) -> None:
    """Writes the hosts file anew where the container runs and has one."""
    sandbox = ctx.networks.joined(container.id) if container.state.running else None
    if sandbox is not None:
        write_hosts(ctx, container, sandbox)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _edited(path: str) -> bool:
    """False too where the file system keeps no attributes."""
    try:
        with open(path, "rb") as file:
            return os.getxattr(file.fileno(), _WRITTEN) != _digest(file.read())
    except OSError:
        return False


def _write(path: str, text: str, *, mark: bool = False) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, content := text.encode())
        if mark:
            with suppress(OSError):
                os.setxattr(descriptor, _WRITTEN, _digest(content))
    finally:
        os.close(descriptor)
