"""The container's life: restarting, stopping, removing, its init, runtime and log."""

from __future__ import annotations

from lading.cli.errors import BadValue, UsageError
from lading.cli.flags import Flag
from lading.cli.run_options.process import to_map
from lading.cli.values import read_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given

FLAGS = (
    Flag("cidfile", "", "string", "Write the container's ID to this file"),
    Flag("init", "", "", "Run a small init that forwards signals and reaps processes", since="1.25"),
    Flag("isolation", "", "string", "How to isolate the container (Windows)"),
    Flag("log-driver", "", "string", "Where the container's output is kept"),
    Flag("log-opt", "", "list", "Option of the log driver: key=value"),
    Flag(
        "restart",
        "",
        "string",
        "When to restart: no, on-failure[:times], always, unless-stopped",
        default="no",
    ),
    Flag("rm", "", "", "Remove the container and its anonymous volumes when it exits"),
    Flag("runtime", "", "string", "OCI runtime to use"),
    Flag("stop-signal", "", "string", "Signal that asks the program to stop"),
    Flag("stop-timeout", "", "int", "Seconds to wait for it to stop before it is killed", since="1.25"),
)


def fill(given: Given, body: dict[str, Any], host: dict[str, Any]) -> None:
    """Raises UsageError."""
    host["ContainerIDFile"] = given["cidfile"]
    host["Isolation"] = given["isolation"]
    host["AutoRemove"] = given["rm"]
    host["RestartPolicy"] = restart_policy(given["restart"])
    if given["rm"] and host["RestartPolicy"]["Name"] not in ("no", ""):
        raise UsageError("lading: conflicting options: cannot specify both --restart and --rm")
    if given["log-driver"] == "none" and given["log-opt"]:
        raise UsageError("lading: invalid logging opts for driver none")
    host["LogConfig"] = {"Type": given["log-driver"], "Config": to_map(given["log-opt"])}
    if "init" in given:
        host["Init"] = given["init"]
    if given["runtime"]:
        host["Runtime"] = given["runtime"]
    if given["stop-signal"]:
        body["StopSignal"] = given["stop-signal"]
    if "stop-timeout" in given:
        body["StopTimeout"] = given["stop-timeout"]


def restart_policy(text: str) -> dict[str, Any]:
    """The API's RestartPolicy. Raises UsageError."""
    name, colon, count = text.partition(":")
    if colon and not name:
        raise UsageError("lading: invalid restart policy format: no policy provided before colon")
    try:
        times = read_int(count) if count else 0
    except BadValue:
        raise UsageError(
            "lading: invalid restart policy format: maximum retry count must be an integer"
        ) from None
    return {"Name": name, "MaximumRetryCount": times}
