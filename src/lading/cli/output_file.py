"""A file that appears whole or not at all."""

from __future__ import annotations

import os
import tempfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def write_file(path: str, pieces: Iterable[bytes]) -> None:
    """Writes beside the file and then takes its place. Raises OSError, and what `pieces` raises."""
    descriptor, unfinished = tempfile.mkstemp(prefix=".lading_temp_", dir=os.path.dirname(path) or ".")
    try:
        with open(descriptor, "wb") as file:
            for piece in pieces:
                file.write(piece)
        os.rename(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise
