"""Images with the platforms they have: `lading images --tree` (pure)."""

from __future__ import annotations

from lading.cli.ages import rough_size, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

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


class _Line:
    """One image, or one of its platforms."""

    def __init__(self, identifier: str, total: int, content: int, used: bool, available: bool = True) -> None:
        self.cells = (short(identifier), rough_size(total), rough_size(content))
        self.used = used
        self.available = available


def image_tree(images: Sequence[dict[str, Any]], width: int, coloured: bool) -> str:
    """What is printed of images listed with their manifests (Engine API 1.47, "ImageSummary").

    `width` is that of the terminal, 0 where there is none.
    """
    width = width or _USUAL_WIDTH
    pen = _Pen(coloured)
    images = sorted(images, key=lambda image: -image["Created"])
    columns, room = _columns(max(width, _LEAST_WIDTH))
    room = min(room, max([len("IMAGE"), *(_widest(image) for image in images)]))
    lines = [pen.write(("93",), _WARNING), pen.legend(max(width, _LEAST_WIDTH)), ""]
    headings = [pen.write(_HEADING, title) + " " * (size - len(title)) for title, size in columns]
    lines.append(_SPACING.join([pen.write(_HEADING, "IMAGE") + " " * (room - len("IMAGE")), *headings]))
    spaced = any(_children(image) for image in images)
    for image in images:
        lines += _image(pen, image, room, width, columns)
        lines += [""] if spaced else []
    return "\n".join(lines)


def is_dangling(image: dict[str, Any]) -> bool:
    """Whether it has neither a name nor a digest it was pulled by."""
    tags, digests = image.get("RepoTags") or (), image.get("RepoDigests") or ()
    return all(name == "<none>:<none>" for name in tags) and all(name == "<none>@<none>" for name in digests)


def _columns(width: int) -> tuple[list[tuple[str, int]], int]:
    """The columns there is room for beside the names, and that for the names."""
    columns = []
    for title, size in _COLUMNS:
        if width - size - len(_SPACING) < _LEAST_NAME:
            break
        width -= size + len(_SPACING)
        columns.append((title, size))
    return columns, width


def _widest(image: dict[str, Any]) -> int:
    names = [len(name) for name in image.get("RepoTags") or ()]
    return max([0, *names, *(len(_platform(child)) + _BRANCH_BYTES for child in _children(image))])


def _children(image: dict[str, Any]) -> list[dict[str, Any]]:
    return [manifest for manifest in image.get("Manifests") or () if manifest.get("Kind") == "image"]


def _platform(manifest: dict[str, Any]) -> str:
    platform = (manifest.get("ImageData") or {}).get("Platform") or {}
    parts = [platform.get("os") or "unknown", platform.get("architecture", ""), platform.get("variant", "")]
    return "/".join(part for part in parts if part)


def _image(
    pen: _Pen, image: dict[str, Any], room: int, width: int, columns: Sequence[tuple[str, int]]
) -> list[str]:
    # The last name shares its line with the figures, so that the shortest goes there.
    *names, last = sorted(image.get("RepoTags") or ("<untagged>",), key=lambda name: -len(name))
    lines = [pen.write(_NAME, _cut(name, width)) for name in names]
    children = _children(image)
    used = [bool((child.get("ImageData") or {}).get("Containers")) for child in children]
    content = sum(_size(manifest, "Content") for manifest in image.get("Manifests") or ())
    whole = _Line(image["Id"], image["Size"], content, image.get("Containers", 0) > 0 or any(used))
    style = _NAME if image.get("RepoTags") else _FAINT
    lines.append(_row(pen, style, last, whole, room, columns))
    for child, its_use in zip(children, used, strict=True):
        available = bool(child.get("Available"))
        line = _Line(child["ID"], _size(child, "Total"), _size(child, "Content"), its_use, available)
        branch = "└─" if child is children[-1] else "├─"
        name_style = _NORMAL if available else _FAINT
        lines.append(_row(pen, name_style, f"{branch} {_platform(child)}", line, room, columns))
    return lines


def _size(manifest: dict[str, Any], name: str) -> int:
    size: int = (manifest.get("Size") or {}).get(name, 0)
    return size


def _row(
    pen: _Pen, style: Sequence[str], name: str, line: _Line, room: int, columns: Sequence[tuple[str, int]]
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
