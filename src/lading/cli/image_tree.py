"""Images with the platforms they have: `lading images --tree` (pure)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lading.cli.image_branches import Branch

_WARNING = "WARNING: This is an experimental feature. The output may change and shouldn't be depended on."
_COLUMNS = (("ID", 12), ("DISK USAGE", 10), ("CONTENT SIZE", 12), ("EXTRA", 5))
_SPACING = "   "
_LEAST_NAME = 12
_LEAST_WIDTH, _USUAL_WIDTH = 20, 80
_BRANCH_BYTES = 7

_HEADING = ("39", "1")
_NAME = ("34", "1")
_NORMAL: tuple[str, ...] = ("39",)
_FAINT = ("39", "2")


class _Pen:
    """Writes in colours on a terminal and plainly elsewhere."""

    def __init__(self, coloured: bool) -> None:
        self.coloured = coloured

    def write(self, style: Sequence[str], text: str) -> str:
        if not self.coloured:
            return text
        return "".join(f"\x1b[{number}m" for number in style) + text + "\x1b[0m"

    def chip(self) -> str:
        """The mark of what is in use."""
        return self.write(("38;5;0", "48;5;14"), " U ") if self.coloured else "U"

    def legend(self, width: int) -> str:
        """What the mark means, at the right edge."""
        if not self.coloured:
            return f"Info ->  {self.chip()} In Use ".rjust(width)
        sign = self.write(("1", "106", "30"), "i") + "\x1b[0m"
        head = self.write(("96",), "Info → ") + "\x1b[0m"
        return " " * max(width - 21, 0) + f"{sign} {head} {self.chip()} In Use "


def image_tree(images: Sequence[Branch], width: int, coloured: bool) -> str:
    """What is printed of images, in this order; `width` is that of the terminal, 0 where there is none."""
    width = width or _USUAL_WIDTH
    pen = _Pen(coloured)
    columns, room = _columns(max(width, _LEAST_WIDTH))
    room = min(room, max([len("IMAGE"), *(_widest(image) for image in images)]))
    lines = [pen.write(("93",), _WARNING), pen.legend(max(width, _LEAST_WIDTH)), ""]
    headings = [pen.write(_HEADING, title) + " " * (size - len(title)) for title, size in columns]
    lines.append(_SPACING.join([pen.write(_HEADING, "IMAGE") + " " * (room - len("IMAGE")), *headings]))
    spaced = any(image.children for image in images)
    for image in images:
        lines += [pen.write(_NAME, _cut(name, width)) for name in image.names]
        lines.append(_row(pen, _NAME if image.named else _FAINT, image.label, image, room, columns))
        lines += _branches(pen, image.children, "", room, columns)
        lines += [""] if spaced else []
    return "\n".join(lines)


def _columns(width: int) -> tuple[list[tuple[str, int]], int]:
    """The columns there is room for beside the names, and that for the names."""
    columns = []
    for title, size in _COLUMNS:
        if width - size - len(_SPACING) < _LEAST_NAME:
            break
        width -= size + len(_SPACING)
        columns.append((title, size))
    return columns, width


def _widest(image: Branch) -> int:
    names = [*image.names, image.label] if image.named else image.names
    return max([0, *map(len, names), *(_widest_branch(child, 0) for child in image.children)])


def _widest_branch(branch: Branch, depth: int) -> int:
    own = len(branch.label) + _BRANCH_BYTES + len(_SPACING) * depth
    return max([own, *(_widest_branch(child, depth + 1) for child in branch.children)])


def _branches(
    pen: _Pen, branches: Sequence[Branch], margin: str, room: int, columns: Sequence[tuple[str, int]]
) -> list[str]:
    lines = []
    for branch in branches:
        last = branch is branches[-1]
        label = f"{margin}{'└─' if last else '├─'} {branch.label}"
        lines.append(_row(pen, _NORMAL if branch.available else _FAINT, label, branch, room, columns))
        lines += _branches(pen, branch.children, margin + ("   " if last else "│  "), room, columns)
    return lines


def _row(
    pen: _Pen, style: Sequence[str], name: str, line: Branch, room: int, columns: Sequence[tuple[str, int]]
) -> str:
    name = _cut(name, room)
    cells = [pen.write(style, name) + " " * (room - len(name))]
    normal = _NORMAL if line.available else _FAINT
    for text, (title, size) in zip((*line.cells, ""), columns, strict=False):
        if title == "EXTRA":
            cells.append(pen.chip() + " " * (size - (3 if pen.coloured else 1)) if line.used else " " * size)
        else:
            padding = " " * (size - len(text))
            written = pen.write(normal, text)
            cells.append(written + padding if title == "ID" else padding + written)
    return _SPACING.join(cells)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
