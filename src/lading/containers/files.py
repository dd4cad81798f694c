"""The files every container gets from the engine: hostname, hosts, resolv.conf."""

import os

from lading.containers.context import Context
from lading.containers.linking import linked_hosts, parents
from lading.containers.record import Container
from lading.network import Sandbox, hosts_text, resolv_conf_text


def write_files(ctx: Context, container: Container, sandbox: Sandbox) -> None:
    """Writes all three anew, as docker does at each start."""
    directory = ctx.layout.container(container.id)
    config, host = container.definition.config, container.definition.host
    defaults = ctx.defaults
    _write(f"{directory}/hostname", f"{config.hostname}\n")
    write_hosts(ctx, container, sandbox)
    _write(
        f"{directory}/resolv.conf",
        resolv_conf_text(
            sandbox,
            servers=host.dns or list(defaults.dns),
            search=host.dns_search or list(defaults.dns_search),
            options=host.dns_options or list(defaults.dns_options),
        ),
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


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
