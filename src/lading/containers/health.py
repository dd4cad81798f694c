"""Health checks: what is asked for, and what follows from each result. Pure.

The ways are dockerd's: failures count from the end of the start period on, or
from the first success; `retries` failures in a row make a container unhealthy,
one success makes it healthy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct, field

from lading.schema.container import ContainerConfig
from lading.units import NANOSECOND

LONGEST_OUTPUT = 4096
"""Bytes kept of what a check prints."""

REMEMBERED = 5
"""How many of the last results are kept."""

_INTERVAL = 30 * NANOSECOND
_TIMEOUT = 30 * NANOSECOND
_START_INTERVAL = 5 * NANOSECOND
_RETRIES = 3
_SHELL = ("/bin/sh", "-c")

_UNITS = (("h", 3600 * NANOSECOND), ("m", 60 * NANOSECOND))
_FRACTIONS = (("s", NANOSECOND), ("ms", 1_000_000), ("µs", 1000), ("ns", 1))


class Verdict(StrEnum):
    """Docker's health states but for "none", which is having no state at all."""

    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class Result(Struct, kw_only=True, frozen=True):
    """How one check ended; -1 is the exit code of one that took too long or could not be run."""

    start_ns: int
    end_ns: int
    exit_code: int
    output: str = ""


class Health(Struct, kw_only=True, frozen=True):
    """What the checks of a container have shown."""

    status: Verdict = Verdict.STARTING
    failing_streak: int = 0
    log: list[Result] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Check:
    """How a container is to be checked. Durations are nanoseconds."""

    words: Sequence[str]
    interval: int
    timeout: int
    start_period: int
    start_interval: int
    retries: int


def check_of(config: ContainerConfig) -> Check | None:
    """The check a container asks for; None where it asks for none, or for what is unknown."""
    asked = config.healthcheck
    if asked is None or not asked.test:
        return None
    kind, *words = asked.test
    if kind not in ("CMD", "CMD-SHELL"):
        return None
    if kind == "CMD-SHELL":
        words = [*(config.shell or _SHELL), *words]
    return Check(
        words=words or [""],
        interval=asked.interval or _INTERVAL,
        timeout=asked.timeout or _TIMEOUT,
        start_period=asked.start_period,
        start_interval=asked.start_interval or _START_INTERVAL,
        retries=asked.retries if asked.retries > 0 else _RETRIES,
    )


def at_start(before: Health | None) -> Health:
    """The health of a container that was just started; what its earlier life has shown is kept."""
    return Health(log=before.log if before is not None else [])


def at_end(before: Health) -> Health:
    """The health of a container that is not checked for now: stopped, or paused."""
    return Health(status=Verdict.UNHEALTHY, failing_streak=before.failing_streak, log=before.log)


def after(check: Check, before: Health, result: Result, started_ns: int) -> Health:
    """The health that `result` leads to, in a container started at `started_ns`."""
    status, streak = before.status, before.failing_streak
    if result.exit_code == 0:
        status, streak = Verdict.HEALTHY, 0
    elif status is not Verdict.STARTING or result.start_ns - started_ns >= check.start_period:
        streak += 1
        if streak >= check.retries:
            status = Verdict.UNHEALTHY
    return Health(status=status, failing_streak=streak, log=[*before.log, result][-REMEMBERED:])


def pause_before_next(check: Check, health: Health, started_ns: int, now_ns: int) -> int:
    """Nanoseconds between the end of one check, which is now, and the begin of the next."""
    if health.status is Verdict.STARTING and now_ns - started_ns < check.start_period:
        return check.start_interval
    return check.interval


def left_of_pause(check: Check, health: Health, started_ns: int, now_ns: int) -> int:
    """The same for a daemon that has just come back: what is left of the pause it had begun."""
    begun = max(started_ns, health.log[-1].end_ns if health.log else 0)
    if begun > now_ns:
        # Somebody has set the clock.
        begun = now_ns
    return max(begun + pause_before_next(check, health, started_ns, begun) - now_ns, 0)


def took_too_long(check: Check, output: str) -> str:
    """What is noted of a check that was ended."""
    text = f"Health check exceeded timeout ({duration_text(check.timeout)})"
    return f"{text}: {output}" if output else text


def printed(data: bytes) -> str:
    """What is noted of a check's output."""
    text = data[:LONGEST_OUTPUT].decode(errors="replace")
    return f"{text}..." if len(data) > LONGEST_OUTPUT else text


def duration_text(nanoseconds: int) -> str:
    """A duration as Go writes it: "1m30s", "1.5s", "200ms"."""
    text = ""
    for unit, size in _UNITS:
        if nanoseconds >= size or text:
            text += f"{nanoseconds // size}{unit}"
            nanoseconds %= size
    if text:
        return f"{text}{_decimal(nanoseconds, NANOSECOND)}s"
    for unit, size in _FRACTIONS:
        if nanoseconds >= size:
            return f"{_decimal(nanoseconds, size)}{unit}"
    return "0s"


def _decimal(value: int, size: int) -> str:
    whole, rest = divmod(value, size)
    digits = str(rest).zfill(len(str(size)) - 1).rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)
