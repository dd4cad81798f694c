"""Dockerfile instructions that change an image's configuration (`--change`).

Source: moby's `dockerfile.BuildFromConfig` and the Dockerfile reference. Pure.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterable

import msgspec

from lading.errors import InvalidParameter
from lading.oci.image import Healthcheck, ImageConfig
from lading.units import parse_duration, parse_whole

_PORT = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?(?:/(tcp|udp|sctp))?\Z", re.IGNORECASE)
_FLAG = re.compile(r"--([a-z-]+)=(\S+)\s*")


def apply(config: ImageConfig, changes: Iterable[str]) -> ImageConfig:
    """The configuration with the instructions applied in order. Raises InvalidParameter."""
    changed = msgspec.structs.replace(config)
    has_command = False
    for line in changes:
        if not line.strip():
            continue
        keyword, _, rest = line.strip().partition(" ")
        instruction = _INSTRUCTIONS.get(keyword.upper())
        if instruction is None:
            raise InvalidParameter(f"{keyword.upper()} is not a valid change command")
        rest = rest.strip()
        if not rest:
            raise InvalidParameter(f"{keyword.upper()} requires at least one argument")
        has_command = has_command or keyword.upper() == "CMD"
        if keyword.upper() == "ENTRYPOINT" and not has_command:
            # The arguments were another program's.
            changed.cmd = None
        instruction(changed, rest)
    return changed


def _command(text: str) -> list[str]:
    """The exec form `["a", "b"]`, or a line for the shell."""
    words = _json_words(text)
    return ["/bin/sh", "-c", text] if words is None else words


def _json_words(text: str) -> list[str] | None:
    if not text.startswith("["):
        return None
    try:
        words = json.loads(text)
    except ValueError:
        return None
    if isinstance(words, list) and all(isinstance(word, str) for word in words):
        return words
    return None


def _cmd(config: ImageConfig, rest: str) -> None:
    config.cmd = _command(rest)


def _entrypoint(config: ImageConfig, rest: str) -> None:
    config.entrypoint = _command(rest)


def _pairs(keyword: str, rest: str) -> list[tuple[str, str]]:
    words = _split(keyword, rest)
    if "=" not in words[0]:
        key, _, value = rest.partition(" ")
        if not value:
            raise InvalidParameter(f"{keyword} must have two arguments")
        return [(key, value.strip())]
    pairs = [word.partition("=") for word in words]
    for key, equals, _ in pairs:
        if not equals or not key:
            raise InvalidParameter(f"Syntax error - can't find = in {key!r}. Must be of the form: name=value")
    return [(key, value) for key, _, value in pairs]


def _split(keyword: str, rest: str) -> list[str]:
    try:
        return shlex.split(rest)
    except ValueError as error:
        raise InvalidParameter(f"{keyword}: {error}") from None


def _env(config: ImageConfig, rest: str) -> None:
    env = list(config.env or [])
    for key, value in _pairs("ENV", rest):
        setting = f"{key}={value}"
        for position, present in enumerate(env):
            if present.partition("=")[0] == key:
                env[position] = setting
                break
        else:
            env.append(setting)
    config.env = env


def _label(config: ImageConfig, rest: str) -> None:
    config.labels = {**(config.labels or {}), **dict(_pairs("LABEL", rest))}


def _expose(config: ImageConfig, rest: str) -> None:
    ports = dict(config.exposed_ports or {})
    for word in rest.split():
        found = _PORT.match(word)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, -1)
        if found is None or not 0 < first <= last <= 65535:
            raise InvalidParameter(f"invalid containerPort: {word}")
        for port in range(first, last + 1):
            ports[f"{port}/{(found[3] or 'tcp').lower()}"] = {}
    config.exposed_ports = ports


def _user(config: ImageConfig, rest: str) -> None:
    if len(rest.split()) != 1:
        raise InvalidParameter("USER requires exactly one argument")
    config.user = rest


def _volume(config: ImageConfig, rest: str) -> None:
    words = _json_words(rest)
    places = rest.split() if words is None else words
    if not all(place.strip() for place in places):
        raise InvalidParameter("VOLUME specified can not be an empty string")
    config.volumes = {**(config.volumes or {}), **{place: {} for place in places}}


def _workdir(config: ImageConfig, rest: str) -> None:
    base = "/" if rest.startswith("/") else (config.working_dir or "/")
    parts: list[str] = []
    for part in f"{base}/{rest}".split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    config.working_dir = "/" + "/".join(parts)


def _stopsignal(config: ImageConfig, rest: str) -> None:
    if len(rest.split()) != 1:
        raise InvalidParameter("STOPSIGNAL requires exactly one argument")
    config.stop_signal = rest


def _onbuild(config: ImageConfig, rest: str) -> None:
    keyword = rest.split()[0].upper()
    if keyword == "ONBUILD":
        raise InvalidParameter("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if keyword in ("MAINTAINER", "FROM"):
        raise InvalidParameter(f"{keyword} isn't allowed as an ONBUILD trigger")
    config.on_build = [*(config.on_build or []), rest]


_HEALTH_FLAGS = {
    "interval": "interval",
    "timeout": "timeout",
    "start-period": "start_period",
    "start-interval": "start_interval",
}


def _healthcheck(config: ImageConfig, rest: str) -> None:
    check = Healthcheck()
    while found := _FLAG.match(rest):
        name, value = found.groups()
        rest = rest[found.end() :]
        if name == "retries" and value.isdecimal() and (retries := parse_whole(value)) is not None:
            check.retries = retries
        elif name in _HEALTH_FLAGS:
            setattr(check, _HEALTH_FLAGS[name], parse_duration(value))
        else:
            raise InvalidParameter(f"HEALTHCHECK: unknown flag or value: --{name}={value}")
    kind, _, command = rest.partition(" ")
    command = command.strip()
    if kind.upper() == "NONE" and not command:
        check = Healthcheck(test=["NONE"])
    elif kind.upper() == "CMD" and command:
        words = _json_words(command)
        check.test = ["CMD-SHELL", command] if words is None else ["CMD", *words]
    elif kind.upper() == "CMD":
        raise InvalidParameter("Missing command after HEALTHCHECK CMD")
    else:
        raise InvalidParameter(f"Unknown type {kind.upper()!r} in HEALTHCHECK (try CMD)")
    config.healthcheck = check


_INSTRUCTIONS: dict[str, Callable[[ImageConfig, str], None]] = {
    "CMD": _cmd,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _label,
    "ONBUILD": _onbuild,
    "STOPSIGNAL": _stopsignal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
