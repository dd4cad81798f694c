"""The documents of an archive, which may be asked for only so often. Pure.

Few bytes can name one large document a million times; whoever follows the names would
not come to an end.
"""

from collections.abc import Iterator, Mapping

from lading.errors import TooLarge

_BYTES = 256 << 20
# What it costs to look into the smallest document, as if it had so many bytes.
_LEAST = 4096


class Documents(Mapping[str, bytes]):
    """Documents by path. Raises TooLarge where more is read than any honest archive needs."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self._documents = documents
        self._left = _BYTES

    def __getitem__(self, path: str) -> bytes:
        body = self._documents[path]
        self._left -= max(len(body), _LEAST)
        if self._left < 0:
            raise TooLarge("the archive names its documents too often")
        return body

    def __contains__(self, path: object) -> bool:
        return path in self._documents

    def __iter__(self) -> Iterator[str]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)
