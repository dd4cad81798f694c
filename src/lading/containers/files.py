"""The files every container gets from the engine: hostname, hosts, resolv.conf."""

import os

from lading.containers.context import Context
from lading.containers.record import Container
from lading.network import Sandbox, hosts_text, resolv_conf_text


def write_files(ctx: Context, container: Container, sandbox: Sandbox) -> None:
    """Writes all three anew, as docker does at each start."""
    directory = ctx.layout.container(container.id)
    config, host = container.definition.config, container.definition.host
    defaults = ctx.defaults
    _write(f"{directory}/hostname", f"{config.hostname}\n")
    _write(
        f"{directory}/hosts", hosts_text(sandbox, config.hostname, config.domainname, host.extra_hosts or [])
    )
    _write(
        f"{directory}/resolv.conf",
        resolv_conf_text(
            sandbox,
            servers=host.dns or list(defaults.dns),
            search=host.dns_search or list(defaults.dns_search),
            options=host.dns_options or list(defaults.dns_options),
        ),
    )


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
