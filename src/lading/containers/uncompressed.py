"""The archive of a client without its compression. Told by its first bytes."""

from collections.abc import Callable

from lading.content import MAGIC_LENGTH, detect, inflate


def plain(pull: Callable[[], bytes]) -> Callable[[], bytes]:
    """A source of plain pieces. Raises what `pull` raises, and InvalidParameter for damage."""
    start = b""
    while len(start) < MAGIC_LENGTH and (piece := pull()):
        start += piece
    rest = [start]

    def whole() -> bytes:
        return rest.pop() if rest else pull()

    return inflate(whole, detect(start))
