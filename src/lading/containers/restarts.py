"""When the engine starts a container again by itself. Pure."""

from lading.errors import InvalidParameter
from lading.schema.container import RestartPolicy

FIRST_DELAY = 0.1
LONGEST_DELAY = 60.0
SETTLED_AFTER = 10.0
"""Seconds of running after which the delay begins anew."""

_NAMES = ("", "no", "always", "unless-stopped", "on-failure")


def check(policy: RestartPolicy, auto_remove: bool) -> None:
    """Raises InvalidParameter with docker's wording for a policy that cannot be."""
    if policy.name not in _NAMES:
        raise InvalidParameter(
            f"invalid restart policy: unknown policy '{policy.name}'; "
            "use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
        )
    if policy.name != "on-failure" and policy.maximum_retry_count:
        shown = policy.name or "no"
        raise InvalidParameter(
            "invalid restart policy: maximum retry count can only be used with 'on-failure'"
            if shown != "no"
            else "invalid restart policy: maximum retry count cannot be used with restart policy 'no'"
        )
    if policy.maximum_retry_count < 0:
        raise InvalidParameter("invalid restart policy: maximum retry count cannot be negative")
    if auto_remove and policy.name not in ("", "no"):
        raise InvalidParameter("can't create 'AutoRemove' container with restart policy")


def after_exit(policy: RestartPolicy, exit_code: int, restarts: int, stopped_by_user: bool) -> bool:
    """Whether a container whose process just ended is to be started again."""
    if stopped_by_user:
        return False
    if policy.name in ("always", "unless-stopped"):
        return True
    if policy.name == "on-failure" and exit_code != 0:
        return policy.maximum_retry_count == 0 or restarts < policy.maximum_retry_count
    return False


def at_engine_start(
    policy: RestartPolicy, *, was_running: bool, exit_code: int, restarts: int, stopped_by_user: bool
) -> bool:
    """Whether a container found not running is to be started with the engine.

    `always` starts whatever was done to it before; `unless-stopped` only if
    nobody stopped it; `on-failure` only if its process was lost or failed.
    """
    if policy.name == "always":
        return True
    if policy.name == "unless-stopped":
        return not stopped_by_user
    if policy.name == "on-failure" and was_running:
        return after_exit(policy, exit_code, restarts, stopped_by_user)
    return False


def next_delay(delay: float, ran_seconds: float) -> float:
    """Seconds to wait: doubling from 0.1 to 60, anew after ten seconds of running."""
    if delay == 0 or ran_seconds >= SETTLED_AFTER:
        return FIRST_DELAY
    return min(delay * 2, LONGEST_DELAY)
