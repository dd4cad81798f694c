"""The health check."""

from __future__ import annotations

from lading.cli.errors import UsageError
from lading.cli.flags import Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given

FLAGS = (
    Flag("health-cmd", "", "string", "Command that tells whether the container is healthy"),
    Flag("health-interval", "", "duration", "Time between two checks (ms|s|m|h)", default=0),
    Flag("health-retries", "", "int", "Failures in a row that make the container unhealthy", default=0),
    Flag("health-start-interval", "", "duration", "Time between two while it starts (ms|s|m|h)", default=0,
         since="1.44"),
    Flag("health-start-period", "", "duration", "Time to start in which failures do not count (ms|s|m|h)",
         default=0),
    Flag("health-timeout", "", "duration", "Longest time one check may take (ms|s|m|h)", default=0),
    Flag("no-healthcheck", "", "", "Ignore the image's HEALTHCHECK"),
)  # fmt: skip

_FIELDS = (
    ("health-interval", "Interval"),
    ("health-timeout", "Timeout"),
    ("health-start-period", "StartPeriod"),
    ("health-start-interval", "StartInterval"),
    ("health-retries", "Retries"),
)


def fill(given: Given, body: dict[str, Any], host: dict[str, Any]) -> None:
    """Raises UsageError."""
    check: dict[str, Any] = {}
    if given["health-cmd"]:
        check["Test"] = ["CMD-SHELL", given["health-cmd"]]
    for flag, field in _FIELDS:
        if given[flag] < 0:
            raise UsageError(f"lading: --{flag} cannot be negative")
        if given[flag]:
            check[field] = given[flag]
    if given["no-healthcheck"]:
        if check:
            raise UsageError("lading: --no-healthcheck conflicts with --health-* options")
        check = {"Test": ["NONE"]}
    if check:
        body["Healthcheck"] = check
