"""Whether blobs are what their names say."""

import hashlib
import os

_PIECE = 1 << 20


def examine(path: str, digest: str, size: int) -> str:
    """What is wrong with the file of a blob, or nothing. Blocks, for as long as it takes to read it."""
    try:
        with open(path, "rb", buffering=0) as file:
            if (here := os.fstat(file.fileno()).st_size) != size:
                return f"it has {here} bytes instead of {size}"
            found = hashlib.sha256()
            while piece := file.read(_PIECE):
                found.update(piece)
    except FileNotFoundError:
        return "its file is missing"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    actual = f"sha256:{found.hexdigest()}"
    return "" if actual == digest else f"its content has the digest {actual}"
