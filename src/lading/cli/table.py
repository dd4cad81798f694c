"""Every command's name and where it lives: "module" or "module:ATTRIBUTE" within `commands`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.command import Command

COMMANDS = {
    "attach": "attach",
    "commit": "commit",
    "completion": "completion",
    "cp": "cp",
    "create": "create",
    "diff": "diff",
    "events": "events",
    "exec": "exec",
    "export": "export",
    "history": "history",
    "images": "images",
    "import": "import_",
    "info": "info",
    "inspect": "inspect",
    "kill": "kill",
    "load": "load",
    "login": "login",
    "logout": "logout",
    "logs": "logs",
    "pause": "pause",
    "port": "port",
    "ps": "ps",
    "pull": "pull",
    "push": "push",
    "rename": "rename",
    "restart": "restart",
    "rm": "rm",
    "rmi": "rmi",
    "run": "run",
    "save": "save",
    "search": "search",
    "start": "start",
    "stats": "stats",
    "stop": "stop",
    "tag": "tag",
    "top": "top",
    "unpause": "unpause",
    "update": "update",
    "version": "version",
    "wait": "wait",
    "container inspect": "inspect:CONTAINER_COMMAND",
    "container prune": "container_prune",
    "image inspect": "inspect:IMAGE_COMMAND",
    "image prune": "image_prune",
    **{f"manifest {name}": f"manifest_{name}" for name in ("annotate", "create", "inspect", "push", "rm")},
    **{
        f"network {name}": f"network_{name}"
        for name in ("connect", "create", "disconnect", "ls", "prune", "rm")
    },
    "network inspect": "inspect:NETWORK_COMMAND",
    "system check": "system_check",
    "system df": "system_df",
    "system prune": "system_prune",
    **{f"volume {name}": f"volume_{name}" for name in ("create", "ls", "prune", "rm", "update")},
    **{f"volume {name}": f"volume_{name}" for name in ("copy", "export", "import", "rename")},
    **{f"volume {name}": f"volume_{name}" for name in ("restore", "snapshot")},
    "volume inspect": "inspect:VOLUME_COMMAND",
}

GROUPS = {
    "container": "Manage containers",
    "image": "Manage images",
    "manifest": "Manage image manifests and manifest lists",
    "network": "Manage networks",
    "system": "Manage Lading",
    "volume": "Manage volumes",
}

_IN_CONTAINER = (
    *("attach", "commit", "cp", "create", "diff", "exec", "export", "kill", "logs", "pause", "port"),
    *("rename", "restart", "rm", "run", "start", "stats", "stop", "top", "unpause", "update", "wait"),
)

ALIASES = {
    **{f"container {name}": name for name in _IN_CONTAINER},
    **{f"container {name}": "ps" for name in ("ls", "list", "ps")},
    "container remove": "rm",
    **{f"image {name}": name for name in ("history", "import", "load", "pull", "push", "save", "tag")},
    **{f"image {name}": "images" for name in ("ls", "list")},
    **{f"image {name}": "rmi" for name in ("rm", "remove")},
    "network list": "network ls",
    "network remove": "network rm",
    "system events": "events",
    "system info": "info",
    "volume list": "volume ls",
    "volume remove": "volume rm",
}
"""Second spellings, by group; a command's help names them too."""


def load(name: str) -> Command:
    """The command of this name in the table, its module imported now."""
    module_name, _, attribute = COMMANDS[name].partition(":")
    module = __import__(f"lading.cli.commands.{module_name}", None, None, ["*"])
    command: Command = getattr(module, attribute or "COMMAND")
    return command
