"""What a log says of its container besides the text: labels, environment, tag. Pure."""

import json
import re
from collections.abc import Callable, Iterable, Mapping

from lading.errors import InvalidParameter
from lading.ids import short_id
from lading.logs.contract import LogFacts

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_ATTRIBUTE = re.compile(r"\(\.ExtraAttributes nil\)\.(\w+)")
_FUNCTIONS: Mapping[str, Callable[[str], str]] = {
    "json": lambda text: json.dumps(text, ensure_ascii=False),
    "lower": str.lower,
    "title": str.title,
    "upper": str.upper,
}
# Go's JSON encoder writes these so that the text is safe inside HTML.
_HTML = {code: f"\\u{code:04x}" for code in (*b"<>&", 0x2028, 0x2029)}


def attributes(options: Mapping[str, str], facts: LogFacts) -> dict[str, str]:
    """What `extra_attributes` gives, and the tag where the option `tag` asks for one."""
    chosen = extra_attributes(options, facts)
    if tag := expand_tag(options.get("tag", ""), facts, options):
        chosen["tag"] = tag
    return chosen


def extra_attributes(options: Mapping[str, str], facts: LogFacts) -> dict[str, str]:
    """The attributes that the options `labels`, `labels-regex`, `env` and `env-regex` ask for.

    Raises InvalidParameter for a bad expression.
    """
    environment = dict(entry.split("=", 1) for entry in facts.env if "=" in entry)
    chosen: dict[str, str] = {}
    for key, values in (("labels", facts.labels), ("env", environment)):
        names = [name for name in options.get(key, "").split(",") if name]
        names += _matching(options.get(f"{key}-regex", ""), values)
        chosen |= {name: values[name] for name in names if name in values}
    return chosen


def as_json(chosen: Mapping[str, str]) -> str:
    """The attributes as Go writes them into each line; empty where there are none."""
    if not chosen:
        return ""
    return json.dumps(chosen, ensure_ascii=False, separators=(",", ":"), sort_keys=True).translate(_HTML)


def _matching(pattern: str, names: Iterable[str]) -> list[str]:
    if not pattern:
        return []
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise InvalidParameter(f"error parsing regexp: {error}: `{pattern}`") from None
    return [name for name in names if expression.search(name)]


def driver_tag(options: Mapping[str, str], facts: LogFacts) -> str:
    """What a log server is told the text is from: the option `tag`, else the container's short identifier."""
    return expand_tag(options.get("tag", "") or "{{.ID}}", facts, options)


def expand_tag(template: str, facts: LogFacts, options: Mapping[str, str] | None = None) -> str:
    """A tag template such as "{{.Name}}/{{.ID}}" filled in.

    Source: docker's "Customize log driver output". Raises InvalidParameter.
    """
    values = {
        ".ID": short_id(facts.container_id),
        ".FullID": facts.container_id,
        ".ContainerID": facts.container_id,
        ".Name": facts.name.removeprefix("/"),
        ".ContainerName": f"/{facts.name.removeprefix('/')}",
        ".ImageID": short_id(facts.image_id),
        ".ImageFullID": facts.image_id,
        ".ContainerImageID": facts.image_id,
        ".ImageName": facts.image_name,
        ".ContainerImageName": facts.image_name,
        ".DaemonName": facts.daemon_name,
        ".Command": " ".join(facts.command),
    }
    extra = extra_attributes(options or {}, facts)

    def fill(found: re.Match[str]) -> str:
        name, *functions = (word.strip() for word in found[1].split("|"))
        attribute = _ATTRIBUTE.fullmatch(name)
        if attribute is None and name not in values:
            known = ", ".join(sorted(values))
            raise InvalidParameter(f'log-opt tag: "{found[0]}" is not known; there are {known}')
        value = values[name] if attribute is None else extra.get(attribute[1], "<no value>")
        for function in functions:
            if function not in _FUNCTIONS:
                raise InvalidParameter(f'template: log-tag: function "{function}" not defined')
            value = _FUNCTIONS[function](value)
        return value

    return _ACTION.sub(fill, template)
