"""Sending on to a log server what containers print, from their start until all is sent."""

from lading.containers.context import Context
from lading.containers.record import Container
from lading.logs import ForwardRequest, LogFacts, log_path, note_path


def log_facts(container: Container) -> LogFacts:
    """What the log driver may say of the container."""
    definition = container.definition
    return LogFacts(
        container_id=container.id,
        name=container.name,
        image_id=definition.image_id,
        image_name=definition.config.image,
        command=[definition.path, *definition.args],
        env=definition.config.env or [],
        labels=definition.config.labels or {},
        created_ns=definition.created_ns,
    )


def _request(ctx: Context, container: Container) -> ForwardRequest:
    log, directory = container.definition.host.log_config, ctx.layout.container(container.id)
    return ForwardRequest(
        driver=log.type,
        options=log.config or {},
        facts=log_facts(container),
        spool=log_path(log.type, directory, container.id),
        note=note_path(directory),
    )


async def begin(ctx: Context, container: Container) -> None:
    """Before the container starts. Raises InternalError where its log server has to be there and is not."""
    await ctx.forwarding.begin(_request(ctx, container))


def take_up(ctx: Context) -> None:
    """When the engine starts: goes on for all that ran, or left something to be sent."""
    for container in ctx.registry:
        ctx.forwarding.resume(_request(ctx, container), running=container.state.running)


def agree(ctx: Context) -> None:
    """When it is known what runs: the others will print no more."""
    running = {container.id for container in ctx.registry if container.state.running}
    ctx.forwarding.agree(running)
    for container in ctx.registry:
        if container.id in running:
            ctx.forwarding.resume(_request(ctx, container), running=True)
