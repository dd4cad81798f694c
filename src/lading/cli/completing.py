"""What the user may be about to write: where on the command line the cursor is, and what goes there.

Pure, but for the table of commands, whose modules are imported as they are needed.
"""

from __future__ import annotations

from lading.cli.flags import Flag
from lading.cli.table import ALIASES, COMMANDS, GROUPS, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lading.cli.command import Command

_OPERANDS: dict[str, tuple[str, ...]] = {
    "attach": ("running",),
    "commit": ("containers", "images"),
    "completion": ("shells",),
    "container inspect": ("containers",),
    "cp": ("places",),
    "create": ("images", "files"),
    "diff": ("containers",),
    "exec": ("running", "files"),
    "export": ("containers",),
    "history": ("images",),
    "image inspect": ("images",),
    "import": ("files", "images"),
    "inspect": ("objects",),
    "kill": ("running",),
    "login": ("registries",),
    "logout": ("registries",),
    "logs": ("containers",),
    "pause": ("running",),
    "port": ("containers", ""),
    "pull": ("images",),
    "push": ("images",),
    "rename": ("containers", ""),
    "restart": ("containers",),
    "rm": ("containers",),
    "rmi": ("images",),
    "run": ("images", "files"),
    "save": ("images",),
    "start": ("stopped",),
    "stats": ("running",),
    "stop": ("running",),
    "tag": ("images",),
    "top": ("running", ""),
    "unpause": ("paused",),
    "update": ("containers",),
    "wait": ("containers",),
    **dict.fromkeys(("network connect", "network disconnect"), ("networks", "containers", "")),
    **dict.fromkeys(("network inspect", "network rm"), ("networks",)),
    **dict.fromkeys(("volume inspect", "volume rm", "volume update", "volume export"), ("volumes",)),
    **dict.fromkeys((f"volume {name}" for name in ("copy", "rename", "restore")), ("volumes", "")),
    "volume import": ("volumes", "files"),
    "volume snapshot": ("volumes", ""),
}
"""What a command's operands name, place by place; the last goes on for the rest."""

_CONTAINER_FILTERS = (
    *("ancestor=", "before=", "expose=", "exited=", "health=", "id=", "is-task=", "label=", "name="),
    *("network=", "publish=", "since=", "status=", "volume="),
)
_FILTERS = {
    "container prune": ("label=", "label!=", "until="),
    "events": ("container=", "daemon=", "event=", "image=", "label=", "network=", "type=", "volume="),
    "image prune": ("label=", "label!=", "until="),
    "images": ("before=", "dangling=", "label=", "reference=", "since=", "until="),
    "network ls": ("dangling=", "driver=", "id=", "label=", "name=", "scope=", "type="),
    "network prune": ("label=", "label!=", "until="),
    "ps": _CONTAINER_FILTERS,
    "system prune": ("label=", "label!=", "until="),
    "volume ls": ("dangling=", "driver=", "label=", "name="),
    "volume prune": ("all=", "label=", "label!="),
    "search": ("is-automated=", "is-official=", "stars="),
}
_FILTER_VALUES = {
    **dict.fromkeys(("all", "dangling"), ("false", "true")),
    "health": ("healthy", "none", "starting", "unhealthy"),
    **dict.fromkeys(("is-automated", "is-official", "is-task"), ("false", "true")),
    "status": ("created", "dead", "exited", "paused", "removing", "restarting", "running"),
    "type": ("container", "daemon", "image", "network", "volume"),
}
_SIGNALS = tuple(
    "ABRT ALRM BUS CHLD CONT FPE HUP ILL INT IO KILL PIPE PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP"
    " TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ".split()
)
_VALUES: dict[str, tuple[str, ...]] = {
    "cgroupns": ("host", "private"),
    "format": ("json", "table"),
    "ipc": ("container:", "host", "none", "private", "shareable"),
    "log-driver": (
        *("awslogs", "fluentd", "gcplogs", "gelf", "journald", "json-file", "local", "none"),
        *("splunk", "syslog"),
    ),
    "log-level": ("debug", "error", "fatal", "info", "warn"),
    "pid": ("container:", "host"),
    "platform": (
        *("linux", "linux/386", "linux/amd64", "linux/arm", "linux/arm/v5", "linux/arm/v6", "linux/arm/v7"),
        *("linux/arm64", "linux/arm64/v8", "linux/ppc64le", "linux/riscv64", "linux/s390x"),
    ),
    "pull": ("always", "missing", "never"),
    "restart": ("always", "no", "on-failure", "unless-stopped"),
    "signal": _SIGNALS,
    "stop-signal": _SIGNALS,
    "type": ("container", "image", "network", "volume"),
    "userns": ("host",),
    "uts": ("host",),
}
_KINDS = {
    **dict.fromkeys(("network", "net"), "networks"),
    "config-from": "networks",
    "volume-driver": "volume drivers",
    "volumes-from": "containers",
    "runtime": "runtimes",
    **dict.fromkeys(("config", "tlscacert", "tlscert", "tlskey"), "files"),
    **dict.fromkeys(("cidfile", "device", "env-file", "input", "label-file", "mount"), "files"),
    **dict.fromkeys(("output", "volume"), "files"),
}


class Goal:
    """What goes at the cursor: `fixed` words with a line about each, or what the engine has of a `kind`.

    `prefix` is the part of the word that stands before what is looked for.
    """

    __slots__ = ("fixed", "kind", "prefix")

    def __init__(self, kind: str = "", fixed: Sequence[tuple[str, str]] = (), prefix: str = "") -> None:
        self.kind = kind
        self.fixed = fixed
        self.prefix = prefix


def goal(words: Sequence[str], global_flags: Sequence[Flag]) -> Goal:
    """For the words after the program's name, the last one being under the cursor."""
    place = _Place(global_flags)
    for word in words[:-1]:
        if not place.step(word):
            return Goal()
    word = words[-1] if words else ""
    if place.pending is not None:
        return _value(place, place.pending, word)
    if word.startswith("-") and not place.ended:
        name, equals, _ = word.partition("=")
        if not equals:
            return Goal(fixed=_flags(place.flags, short=not word.startswith("--")))
        flag = place.find(name)
        return _value(place, flag, word, f"{name}=") if flag is not None else Goal()
    if place.command is None:
        return Goal(fixed=_members(place.group))
    return Goal(_operand(place.command, place.operands))


class _Place:
    """Where one has come to, word by word."""

    def __init__(self, flags: Sequence[Flag]) -> None:
        self.flags = flags
        self.group = ""
        self.command: Command | None = None
        self.pending: Flag | None = None
        self.operands = 0
        self.ended = False

    def step(self, word: str) -> bool:
        """Takes a word; False where it is no command."""
        if self.pending is not None:
            self.pending = None
        elif word == "--" and self.command is not None and not self.ended:
            self.ended = True
        elif word.startswith("-") and word != "-" and not self.ended:
            flag = self.find(word)
            self.pending = flag if flag is not None and flag.word and "=" not in word else None
        elif self.command is None:
            return self._name(word)
        else:
            self.operands += 1
            self.ended = self.ended or not self.command.interspersed
        return True

    def _name(self, word: str) -> bool:
        if not self.group and word in GROUPS:
            self.group = word
            return True
        written = f"{self.group} {word}".strip()
        name = ALIASES.get(written, written)
        if name not in COMMANDS:
            return False
        self.command = load(name)
        self.flags = self.command.flags
        return True

    def find(self, word: str) -> Flag | None:
        """The flag a word names; of a cluster, the last one."""
        if word.startswith("--"):
            name = word[2:].partition("=")[0]
            return next((flag for flag in self.flags if name in (flag.name, flag.other)), None)
        return next((flag for flag in self.flags if flag.short and flag.short == word[-1]), None)


def _flags(flags: Sequence[Flag], short: bool) -> list[tuple[str, str]]:
    shown = [flag for flag in sorted(flags, key=lambda flag: flag.name) if not flag.hidden]
    found = [(f"--{flag.name}", flag.text) for flag in shown]
    if short:
        found += [(f"-{flag.short}", flag.text) for flag in shown if flag.short]
    return found


def _members(group: str) -> list[tuple[str, str]]:
    if group:
        names = {name: name for name in COMMANDS if name.startswith(f"{group} ")}
        names |= {alias: name for alias, name in ALIASES.items() if alias.startswith(f"{group} ")}
        return sorted((written.split(" ")[1], load(name).summary) for written, name in names.items())
    plain = [(name, load(name).summary) for name in COMMANDS if " " not in name]
    return sorted([*plain, *GROUPS.items()])


def _operand(command: Command, operands: int) -> str:
    if command.most is not None and operands >= command.most:
        return ""
    kinds = _OPERANDS.get(command.name, ("",))
    return kinds[min(operands, len(kinds) - 1)]


def _value(place: _Place, flag: Flag, word: str, prefix: str = "") -> Goal:
    name = flag.name
    if name == "filter" and place.command is not None:
        key, equals, _ = word.removeprefix(prefix).partition("=")
        if equals:
            values = _FILTER_VALUES.get(key, ())
            return Goal(fixed=[(f"{key}={value}", "") for value in values], prefix=prefix)
        return Goal(fixed=[(key, "") for key in _FILTERS.get(place.command.name, ())], prefix=prefix)
    return Goal(_KINDS.get(name, ""), [(value, "") for value in _VALUES.get(name, ())], prefix)
