"""`lading search`."""

from __future__ import annotations

from lading.cli.columns import columns_of
from lading.cli.command import Command
from lading.cli.config.auths import registry_key, search_domain
from lading.cli.flags import Flag
from lading.cli.listing import FILTER_HELP, Row, check_filter, filters_query, print_list
from lading.cli.prompting import authorized
from lading.client import ConnectionLost, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.config.auths import Auth
    from lading.cli.flags import Given
    from lading.cli.session import Session

_TABLE = "{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}"
_LONGEST_DESCRIPTION = 45


class SearchRow(Row):
    """One repository found (Engine API 1.51, "ImageSearch")."""

    HEADERS = {
        "Description": "DESCRIPTION",
        "IsOfficial": "OFFICIAL",
        "Name": "NAME",
        "StarCount": "STARS",
    }

    def __init__(self, found: dict[str, Any], truncate: bool) -> None:
        self._found = found
        self._truncate = truncate

    def Name(self) -> str:
        return self._found.get("name") or ""

    def Description(self) -> str:
        text = (self._found.get("description") or "").replace("\n", " ").replace("\r", " ")
        return shorten(text, _LONGEST_DESCRIPTION) if self._truncate else text

    def StarCount(self) -> str:
        return str(self._found.get("star_count") or 0)

    def IsOfficial(self) -> str:
        return "[OK]" if self._found.get("is_official") else ""

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "IsOfficial": "true" if self._found.get("is_official") else "false"}


def shorten(text: str, width: int) -> str:
    """`text` in at most `width` columns, its end replaced by an ellipsis where it is longer. Pure."""
    if columns_of(text) <= width:
        return text
    taken, room = "", width - 1
    for letter in text:
        room -= columns_of(letter)
        if room < 0:
            break
        taken += letter
    return taken + "…"


def run(session: Session, given: Given) -> None:
    term = given.operands[0]
    query = [("term", term), *filters_query(given["filter"])]
    if given["limit"] > 0:
        query.append(("limit", str(given["limit"])))

    def request(auth: Auth) -> list[dict[str, Any]]:
        headers = (("X-Registry-Auth", auth.as_header()),)
        answer = session.client.stream("GET", "/images/search", query, headers=headers)
        try:
            found = loads(answer.read())
        except ValueError:
            raise ConnectionLost("the engine's answer is not JSON") from None
        finally:
            answer.close()
        return found if isinstance(found, list) else []

    results = authorized(session, registry_key(search_domain(term)), "search", request)
    rows = [SearchRow(found, not given["no-trunc"]) for found in results]
    print_list(rows, SearchRow, given["format"], _TABLE, quiet=False)


COMMAND = Command(
    "search",
    "TERM",
    "Search Docker Hub for images",
    (
        Flag("filter", "f", "filter", FILTER_HELP, gathers=True, check=check_filter),
        Flag("format", "", "string", "Pretty-print search using a Go template"),
        Flag("limit", "", "int", "Max number of search results", default=0),
        Flag("no-trunc", "", "", "Don't truncate output"),
    ),
    run,
    least=1,
    most=1,
)
