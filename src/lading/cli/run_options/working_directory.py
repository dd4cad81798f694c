"""Paths on the caller's side."""

from __future__ import annotations

import posix


def absolute_path(path: str) -> str:
    """`path` seen from the working directory, without "." and ".."."""
    parts: list[str] = []
    for part in f"{posix.getcwd()}/{path}".split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
