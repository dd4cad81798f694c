"""Devices: files from /dev, rules of the device cgroup, GPUs and other device requests."""

from __future__ import annotations

from lading.cli.errors import BadValue, UsageError
from lading.cli.flags import Flag
from lading.cli.run_options.fields import comma_fields
from lading.cli.values import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given

_ALL = -1


def read_cgroup_rule(text: str) -> str:
    """TYPE MAJOR:MINOR ACCESS, such as "c 1:3 rwm". Raises BadValue."""
    words = text.split(" ")
    numbers = words[1].split(":") if len(words) == 3 else ()
    whole = (
        len(numbers) == 2
        and words[0] in ("a", "b", "c")
        and all(number == "*" or number.isdecimal() for number in numbers)
        and 1 <= len(words[2]) <= 3
        and set(words[2]) <= set("rwm")
    )
    if not whole:
        raise BadValue(f"invalid device cgroup format '{text}'")
    return text


def read_gpus(text: str) -> dict[str, Any]:
    """One device request for GPUs: "all", a number, or fields. Raises BadValue."""
    request: dict[str, Any] = {
        "Driver": "",
        "Count": 0,
        "DeviceIDs": None,
        "Capabilities": None,
        "Options": {},
    }
    seen = set()
    for field in comma_fields(text):
        name, equals, value = field.partition("=")
        if not equals:
            name, value = "count", field
        if name in seen:
            raise BadValue(f"gpu request key '{name}' can be specified only once")
        seen.add(name)
        if name == "driver":
            request["Driver"] = value
        elif name == "count":
            request["Count"] = _count(value)
        elif name == "device":
            request["DeviceIDs"] = value.split(",")
        elif name == "capabilities":
            request["Capabilities"] = [[*value.split(","), "gpu"]]
        elif name == "options":
            request["Options"] = _options(value)
        else:
            raise BadValue(f"unexpected key '{name}' in '{field}'")
    if "count" not in seen and request["DeviceIDs"] is None:
        request["Count"] = 1
    if request["Capabilities"] is None:
        request["Capabilities"] = [["gpu"]]
    return request


def _count(text: str) -> int:
    if text == "all":
        return _ALL
    number = whole_number(text)
    if number is None:
        raise BadValue(f'invalid count ({text}): value must be either "all" or an integer: invalid syntax')
    return number


def _options(text: str) -> dict[str, str]:
    return {name: value for name, _, value in (field.partition("=") for field in text.split(","))}


FLAGS = (
    Flag("device", "", "list", "Give the container a device of the host: path[:path-inside][:rwm]"),
    Flag("device-cgroup-rule", "", "list", "Add a rule to the device cgroup", check=read_cgroup_rule),
    Flag("gpus", "", "gpu-request", 'GPUs to give: "all" or a number', gathers=True, check=read_gpus,
         since="1.40"),
)  # fmt: skip


def fill(given: Given, body: dict[str, Any], host: dict[str, Any]) -> None:
    """Raises UsageError."""
    requests: list[dict[str, Any]] = list(given["gpus"])
    named = [text for text in given["device"] if _is_qualified_name(text)]
    if named:
        requests.append(
            {"Driver": "cdi", "Count": 0, "DeviceIDs": named, "Capabilities": None, "Options": None}
        )
    host["Devices"] = [_device(text) for text in given["device"] if text not in named]
    host["DeviceRequests"] = requests or None
    host["DeviceCgroupRules"] = given["device-cgroup-rule"] or None


def _is_qualified_name(text: str) -> bool:
    """Whether `text` is vendor/class=name (Container Device Interface 0.8, "Qualified name")."""
    vendor, slash, rest = text.partition("/")
    kind, equals, name = rest.partition("=")
    return bool(slash and equals and name and kind) and vendor[:1].isalpha() and kind[:1].isalpha()


def _device(text: str) -> dict[str, str]:
    parts = text.split(":")
    if len(parts) > 3 or not text:
        raise UsageError(f"lading: bad format for path: {text}")
    source, target, mode = parts[0], parts[0], "rwm"
    if len(parts) == 2 and _is_mode(parts[1]):
        mode = parts[1]
    elif len(parts) > 1:
        target = parts[1]
    if len(parts) == 3:
        mode = parts[2]
        if not _is_mode(mode):
            raise UsageError(f"lading: bad mode specified: {mode}")
    if not target.startswith("/"):
        raise UsageError(f"lading: {target} is not an absolute path")
    return {"PathOnHost": source, "PathInContainer": target, "CgroupPermissions": mode}


def _is_mode(text: str) -> bool:
    return 0 < len(text) <= 3 and len(set(text)) == len(text) and set(text) <= set("rwm")
