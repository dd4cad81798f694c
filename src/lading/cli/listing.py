"""Lists of objects: as a table, by a template, as JSON, or as bare IDs."""

from __future__ import annotations

import json

from lading.cli.columns import align
from lading.cli.errors import BadValue, CommandFailed
from lading.cli.say import out
from lading.cli.template import FUNCTIONS, CallError, Record, Template, TemplateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

_FORMATS = """Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates"""
_TABLES = """
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template"""
INSPECT_FORMAT_HELP = _FORMATS
"""The help text of `--format` where there are no tables."""
FORMAT_HELP = _FORMATS.replace("\n", f"{_TABLES}\n", 1)
"""The help text of `--format` where there are tables."""
FILTER_HELP = "Filter output based on conditions provided"


class Row(Record):
    """One object of a list. A subclass has a method per field, named after it, and `HEADERS`."""

    HEADERS: Mapping[str, str] = {}

    def field(self, name: str, arguments: Sequence[Any]) -> Any:
        """Raises KeyError for an unknown field."""
        if not name[:1].isupper():
            raise KeyError(name)
        method: Callable[..., Any] | None = getattr(self, name, None)
        if method is None:
            raise KeyError(name)
        try:
            return method(*arguments)
        except TypeError:
            raise CallError(f"wrong number of args for {name}") from None

    def as_dict(self) -> dict[str, Any]:
        """All fields, as `{{json .}}` shows them."""
        return {name: getattr(self, name)() for name in sorted(self.HEADERS) if name != "Label"}

    def __str__(self) -> str:
        return type(self).__name__


class _Headers(Record):
    """The heading line: each field's heading in place of its value."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def field(self, name: str, arguments: Sequence[Any]) -> str:
        if arguments and isinstance(arguments[0], str):
            return arguments[0].rpartition(".")[2].replace("-", " ").replace("_", " ")
        return self._headers[name]

    def __str__(self) -> str:
        return "headers"


def _same(value: Any, *_: Any) -> Any:
    return value


_HEADER_FUNCTIONS = {
    **FUNCTIONS,
    **dict.fromkeys(("json", "split", "join", "title", "lower", "upper", "pad", "truncate"), _same),
    "println": lambda *values: " ".join(map(str, values)),
}


_CONTROL = dict.fromkeys({*range(32), *range(127, 160)} - {9, 10}, "\ufffd")


def print_list(rows: Iterable[Row], kind: type[Row], template: str, default_table: str, quiet: bool) -> None:
    """Prints the rows by `template`; an empty one means the default table. Raises CommandFailed."""
    whole = list_text(rows, kind, template, default_table, quiet)
    if whole:
        out(whole.removesuffix("\n"))


def list_text(
    rows: Iterable[Row], kind: type[Row], template: str, default_table: str, quiet: bool = False
) -> str:
    """What `print_list` prints, its last line end included. Raises CommandFailed."""
    source, is_table = _source(template, default_table, quiet)
    text = [row_text + "\n" for row_text in _render(source, rows)]
    if is_table:
        heading = _parse(source, _HEADER_FUNCTIONS).render(_Headers(kind.HEADERS))
        # A description of a registry's may hold commands for the terminal.
        return align(heading + "\n" + "".join(text).translate(_CONTROL))
    return "".join(text)


def _source(template: str, default_table: str, quiet: bool) -> tuple[str, bool]:
    if template in ("", "table"):
        if quiet:
            return "{{.ID}}", False
        return default_table, True
    if template == "json":
        return "{{json .}}", False
    is_table = template.startswith("table ")
    source = template.removeprefix("table ").strip(" ") if is_table else template.strip(" ")
    return source.replace("\\t", "\t").replace("\\n", "\n"), is_table


def _parse(source: str, functions: Mapping[str, Callable[..., Any]] = FUNCTIONS) -> Template:
    try:
        return Template(source, functions)
    except TemplateError as error:
        raise CommandFailed(f"template parsing error: {error.message}") from None


def _render(source: str, rows: Iterable[Row]) -> list[str]:
    template = _parse(source)
    try:
        return [template.render(row) for row in rows]
    except TemplateError as error:
        raise CommandFailed(f"template parsing error: {error.message}") from None


def check_filter(text: str) -> str:
    """Raises BadValue unless it is name=value."""
    if "=" not in text:
        raise BadValue("bad format of filter (expected name=value)")
    return text


def check_template(source: str) -> None:
    """Complains about a template before the engine is asked for anything. Raises CommandFailed."""
    try:
        Template(source)
    except TemplateError as error:
        raise CommandFailed(f"failed to parse template: {error.message}") from None


def filters_query(texts: Iterable[str]) -> list[tuple[str, str]]:
    """`--filter key=value …` as the query parameter `filters`."""
    filters: dict[str, dict[str, bool]] = {}
    for text in texts:
        name, _, value = text.partition("=")
        filters.setdefault(name.strip().lower(), {})[value.strip()] = True
    return [("filters", json.dumps(filters, separators=(",", ":"), sort_keys=True))] if filters else []
