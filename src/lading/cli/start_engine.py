"""Starts an engine where none runs, so that a first command needs no preparation."""

from __future__ import annotations

import os
import sys
import time

from lading.cli.errors import CommandFailed
from lading.cli.say import err
from lading.client import Client, ClientError

LOG = "/var/log/ladingd.log"
_PATIENCE = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.2


def start_engine(client: Client) -> None:
    """Starts `ladingd` in the background and returns when it answers. Raises CommandFailed."""
    program = _find_ladingd()
    process = _spawn_detached(program)
    deadline = time.monotonic() + _PATIENCE
    pause = _FIRST_PAUSE
    while time.monotonic() < deadline:
        try:
            client.ping()
        except ClientError:
            if _has_ended(process):
                raise CommandFailed(
                    _last_words("the engine was not running and could not be started")
                ) from None
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        else:
            err(f"lading: the engine was not running; started it (log: {LOG})")
            return
    raise CommandFailed(_last_words(f"the engine was started but does not answer at {client.address.text}"))


def _find_ladingd() -> str:
    places = [os.path.dirname(os.path.realpath(sys.argv[0])), os.path.dirname(sys.argv[0])]
    places += [os.path.dirname(sys.executable or "")]
    places += (os.environ.get("PATH") or os.defpath).split(os.pathsep)
    for place in places:
        path = os.path.join(place, "ladingd")
        if place and os.access(path, os.X_OK):
            return path
    raise CommandFailed("the engine is not running, and ladingd was not found beside lading or in PATH")


def _spawn_detached(program: str) -> int:
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        return os.posix_spawn(
            program,
            [program],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, nothing, 0),
                (os.POSIX_SPAWN_DUP2, log, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
            ],
            setsid=True,
        )
    except OSError as error:
        raise CommandFailed(
            f"the engine is not running, and {program} did not start: {error.strerror}"
        ) from None
    finally:
        os.close(log)
        os.close(nothing)


def _has_ended(process: int) -> bool:
    try:
        return os.waitpid(process, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True


def _last_words(reason: str) -> str:
    try:
        with open(LOG, encoding="utf-8", errors="replace") as log:
            last = [line.strip() for line in log if line.strip()][-1:]
    except OSError:
        last = []
    return f"{reason} (log: {LOG})" + "".join(f": {line}" for line in last)
