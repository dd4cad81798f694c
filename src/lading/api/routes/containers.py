"""Containers: their life, their streams, their state."""

from lading.api import decode, encode
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.containers import FILTERS, PRUNE_FILTERS, AttachOptions, LogOptions
from lading.errors import InvalidParameter
from lading.filters import Filters
from lading.http import Response, handshake
from lading.schema.container import CreateBody, UpdateBody
from lading.units import now_ns, parse_moment

_CONDITIONS = ("not-running", "next-exit", "removed")


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""
    return [*_life(rooms), *_control(rooms), *_views(rooms), *_streams(rooms)]


def _life(rooms: Rooms) -> list[Endpoint]:
    containers = rooms.containers

    async def create(call: Call) -> Response:
        body = await decode.body(call, CreateBody)
        container, warnings = await containers.create(
            call.query("name") or None, body, call.query("platform")
        )
        return encode.json({"Id": container.id, "Warnings": warnings}, 201)

    async def start(call: Call) -> Response:
        await containers.start(call.parameters["id"])
        return encode.no_content()

    async def stop(call: Call) -> Response:
        await containers.stop(call.parameters["id"], call.query("signal"), decode.integer(call, "t"))
        return encode.no_content()

    async def restart(call: Call) -> Response:
        await containers.restart(call.parameters["id"], call.query("signal"), decode.integer(call, "t"))
        return encode.no_content()

    async def kill(call: Call) -> Response:
        await containers.kill(call.parameters["id"], call.query("signal"))
        return encode.no_content()

    async def remove(call: Call) -> Response:
        await containers.remove(
            call.parameters["id"],
            force=decode.flag(call, "force"),
            volumes=decode.flag(call, "v"),
            link=decode.flag(call, "link"),
        )
        return encode.no_content()

    async def rename(call: Call) -> Response:
        await containers.rename(call.parameters["id"], call.query("name"))
        return encode.no_content()

    async def resize(call: Call) -> Response:
        height, width = decode.size(call)
        await containers.resize(call.parameters["id"], height, width)
        return Response(200)

    return [
        Endpoint("POST", "/containers/create", create),
        Endpoint("POST", "/containers/{id}/start", start),
        Endpoint("POST", "/containers/{id}/stop", stop),
        Endpoint("POST", "/containers/{id}/restart", restart),
        Endpoint("POST", "/containers/{id}/kill", kill),
        Endpoint("POST", "/containers/{id}/rename", rename),
        Endpoint("POST", "/containers/{id}/resize", resize),
        Endpoint("DELETE", "/containers/{id:path}", remove),
    ]


def _control(rooms: Rooms) -> list[Endpoint]:
    containers = rooms.containers

    async def update(call: Call) -> Response:
        # Its fields are those of a HostConfig; what else is in it does not count.
        body = await decode.body(call, UpdateBody)
        if call.version < (1, 40):
            body.pids_limit = None
        warnings = await containers.update(call.parameters["id"], body)
        return encode.json({"Warnings": warnings or None})

    async def pause(call: Call) -> Response:
        await containers.pause(call.parameters["id"])
        return encode.no_content()

    async def unpause(call: Call) -> Response:
        await containers.unpause(call.parameters["id"])
        return encode.no_content()

    async def prune(call: Call) -> Response:
        return encode.json(await containers.prune(Filters.parse(call.query("filters"), PRUNE_FILTERS)))

    return [
        Endpoint("POST", "/containers/prune", prune),
        Endpoint("POST", "/containers/{id}/update", update),
        Endpoint("POST", "/containers/{id}/pause", pause),
        Endpoint("POST", "/containers/{id}/unpause", unpause),
    ]


def _views(rooms: Rooms) -> list[Endpoint]:
    containers = rooms.containers

    async def list_all(call: Call) -> Response:
        return encode.json(
            await containers.summaries(
                Filters.parse(call.query("filters"), FILTERS),
                show_all=decode.flag(call, "all"),
                limit=decode.integer(call, "limit") or 0,
                size=decode.flag(call, "size"),
            )
        )

    async def inspect(call: Call) -> Response:
        return encode.json(await containers.inspect(call.parameters["id"], size=decode.flag(call, "size")))

    return [
        Endpoint("GET", "/containers/json", list_all),
        Endpoint("GET", "/containers/{id}/json", inspect),
    ]


def _streams(rooms: Rooms) -> list[Endpoint]:
    containers = rooms.containers

    async def attach(call: Call) -> None:
        container = containers.find(call.parameters["id"])
        options = AttachOptions(
            stdin=decode.flag(call, "stdin"),
            stdout=decode.flag(call, "stdout"),
            stderr=decode.flag(call, "stderr"),
            logs=decode.flag(call, "logs"),
            stream=decode.flag(call, "stream"),
            detach_keys=call.query("detachKeys"),
        )
        options.check()
        head = encode.stream_head(call, tty=container.definition.config.tty)
        hijacked = await call.request.hijack(head)
        await containers.attach(container.id, hijacked.take_socket(), options)

    async def attach_websocket(call: Call) -> None:
        container = containers.find(call.parameters["id"])
        # Clients older than this did not say which streams they want.
        everything = call.version < (1, 42)
        options = AttachOptions(
            stdin=everything or decode.flag(call, "stdin"),
            stdout=everything or decode.flag(call, "stdout"),
            stderr=everything or decode.flag(call, "stderr"),
            logs=decode.flag(call, "logs"),
            stream=decode.flag(call, "stream"),
            detach_keys=call.query("detachKeys"),
            multiplexed=False,
        )
        options.check()
        hijacked = await call.request.hijack(handshake(call.request.headers))
        messages = hijacked.take_messages(binary=call.version >= (1, 28))
        await containers.attach(container.id, (messages, b""), options)

    async def logs(call: Call) -> Response:
        container = containers.find(call.parameters["id"])
        options = _log_options(call)
        pieces = containers.logs(container.id, options)
        kind = "raw" if container.definition.config.tty or call.version < (1, 42) else "multiplexed"
        return Response(200, pieces, content_type=f"application/vnd.docker.{kind}-stream")

    async def wait(call: Call) -> None:
        condition = call.query("condition") or "not-running"
        if condition not in _CONDITIONS:
            raise InvalidParameter(f'invalid condition: "{condition}"')
        container = containers.find(call.parameters["id"])
        # The answer ends with the connection, so that it can be given by a later life of the daemon.
        hijacked = await call.request.hijack(encode.CLOSED_JSON_HEAD)
        await containers.wait(container.id, condition, hijacked.take_socket()[0])

    return [
        Endpoint("POST", "/containers/{id}/attach", attach),
        Endpoint("GET", "/containers/{id}/attach/ws", attach_websocket),
        Endpoint("GET", "/containers/{id}/logs", logs),
        Endpoint("POST", "/containers/{id}/wait", wait),
    ]


def _log_options(call: Call) -> LogOptions:
    now = now_ns()
    since, until = call.query("since"), call.query("until")
    options = LogOptions(
        stdout=decode.flag(call, "stdout"),
        stderr=decode.flag(call, "stderr"),
        since_ns=parse_moment(since, now) if since not in ("", "0") else 0,
        until_ns=parse_moment(until, now) if until not in ("", "0") else 0,
        tail=call.query("tail") or "all",
        follow=decode.flag(call, "follow"),
        timestamps=decode.flag(call, "timestamps"),
        details=decode.flag(call, "details"),
    )
    if not (options.stdout or options.stderr):
        raise InvalidParameter("Bad parameters: you must choose at least one stream")
    return options
