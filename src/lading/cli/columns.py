"""Aligned columns of text, as Go's tabwriter lays them out (pure).

A cell ends with a tab. Cells of neighbouring lines that stand in the same
place form a column, as wide as its widest cell and three blanks, usually at least ten.
"""

from __future__ import annotations

_LEAST_WIDTH = 10
_PADDING = 3


def columns_of(text: str) -> int:
    """How wide a terminal shows `text`: East Asian wide characters take two columns, marks none."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def align(text: str, least: int = _LEAST_WIDTH) -> str:
    """`text` with its tabs turned into blanks; no column is narrower than `least`."""
    if "\t" not in text:
        return text
    lines = [line.split("\t") for line in text.split("\n")]
    printed: list[str] = []
    _format(lines, 0, len(lines), [], printed, least)
    return "\n".join(printed)


def _format(
    lines: list[list[str]], first: int, end: int, widths: list[int], printed: list[str], least: int
) -> None:
    column = len(widths)
    line = first
    while line < end:
        if column >= len(lines[line]) - 1:
            line += 1
            continue
        printed.extend(_laid_out(lines[number], widths) for number in range(first, line))
        first = line
        while line < end and column < len(lines[line]) - 1:
            line += 1
        width = max(columns_of(lines[number][column]) for number in range(first, line)) + _PADDING
        _format(lines, first, line, [*widths, max(width, least)], printed, least)
        first = line
    printed.extend(_laid_out(lines[number], widths) for number in range(first, end))


def _laid_out(cells: list[str], widths: list[int]) -> str:
    padded = [
        cell + " " * (width - columns_of(cell)) for cell, width in zip(cells[:-1], widths, strict=False)
    ]
    return "".join(padded) + cells[-1]
