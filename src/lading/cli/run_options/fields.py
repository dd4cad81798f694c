"""Values that are lists of fields: one line of comma-separated values (RFC 4180)."""

from __future__ import annotations

from lading.cli.errors import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def comma_fields(text: str) -> list[str]:
    """The fields of one line; a field in double quotes may hold commas. Raises BadValue."""
    if not text:
        raise BadValue("EOF")
    if '"' not in text:
        return text.split(",")
    fields, position = [], 0
    while True:
        if text.startswith('"', position):
            field, position = _quoted(text, position + 1)
        else:
            end = text.find(",", position)
            end = len(text) if end < 0 else end
            field = text[position:end]
            if '"' in field:
                column = position + field.index('"') + 1
                raise BadValue(f'parse error on line 1, column {column}: bare " in non-quoted-field')
            position = end
        fields.append(field)
        if position >= len(text):
            return fields
        position += 1


def _quoted(text: str, position: int) -> tuple[str, int]:
    pieces = []
    while True:
        end = text.find('"', position)
        if end < 0:
            raise BadValue(
                f'parse error on line 1, column {len(text) + 1}: extraneous or missing " in quoted-field'
            )
        pieces.append(text[position:end])
        if not text.startswith('""', end):
            break
        pieces.append('"')
        position = end + 2
    if end + 1 < len(text) and text[end + 1] != ",":
        raise BadValue(f'parse error on line 1, column {end + 1}: extraneous or missing " in quoted-field')
    return "".join(pieces), end + 1


def joined(lists: Iterable[list[str]]) -> list[str]:
    """The values of a flag that takes several each time it is given."""
    return [value for values in lists for value in values]
