"""Reading an image archive in one pass, before it is known what its files are for.

`docker save` and others put the list of images anywhere in the archive, often
last. So small JSON files are kept in memory, and everything that can be a
layer is taken in as one; `plan.py` then says what belongs together.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lading.content import Compression, Content, detect
from lading.errors import InvalidParameter, LadingError, TooLarge
from lading.images.intake import ArrivedLayer, LayerIntake
from lading.oci import tar
from lading.snapshots import Snapshots

_MAX_DOCUMENT = 16 << 20
_MAX_DOCUMENTS = 128 << 20
_MAX_FILES = 100_000
_MAX_LINKS = 16
_MAX_PATH = 4096
_MAX_TRAILER = 1 << 28
# Documents by their place, whatever is in them.
_LISTS = ("manifest.json", "index.json", "repositories")
_HEX = re.compile(r"[0-9a-f]{64}")

Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Archive:
    """What an archive held, by path. `broken` says why a file could not be taken as a layer."""

    documents: dict[str, bytes] = field(default_factory=dict)
    layers: dict[str, ArrivedLayer] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    broken: dict[str, LadingError] = field(default_factory=dict)

    def follow(self, path: str) -> str:
        """The path behind links. Raises InvalidParameter where they go in a circle, or too far."""
        for _ in range(_MAX_LINKS):
            if len(path) > _MAX_PATH:
                raise InvalidParameter(f"{path[:256]!r}… is too long for a path")
            linked = self._linked(path)
            if linked is None:
                return path
            path = self.links[linked] + path[len(linked) :]
        raise InvalidParameter(f"too many links at {path[:256]!r}")

    def _linked(self, path: str) -> str | None:
        """The part of a path that is a link, if any: a directory may be one too."""
        if not self.links:
            return None
        ends = [at for at, sign in enumerate(path) if sign == "/"]
        return next((path[:end] for end in [*ends, len(path)] if path[:end] in self.links), None)

    def take_back(self, path: str, snapshots: Snapshots) -> None:
        """Forgets what an earlier entry of the same name was."""
        self.links.pop(path, None)
        self.documents.pop(path, None)
        self.broken.pop(path, None)
        if (layer := self.layers.pop(path, None)) is not None:
            layer.discard(snapshots)

    def discard(self, snapshots: Snapshots) -> None:
        """Drops every layer that does not exist yet."""
        for layer in self.layers.values():
            layer.discard(snapshots)


@dataclass(slots=True)
class Known:
    """What exists already, so that it need not be taken in again.

    `layers` by diff ID; `blobs` gives the diff ID of the layer that a blob is.
    """

    blobs: Mapping[str, str]
    layers: dict[str, ArrivedLayer]


class ArchiveReader:
    """Reads one archive; blocks, and belongs to one thread."""

    def __init__(self, content: Content, snapshots: Snapshots, known: Known, progress: Progress) -> None:
        self._content = content
        self._snapshots = snapshots
        self._known = known
        self._progress = progress
        self._archive = Archive()
        self._documents_size = 0

    def read(self, pull: Callable[[], bytes]) -> Archive:
        """Everything in a plain tar stream. Raises LadingError, leaving nothing behind."""
        reader = tar.Reader(pull)
        try:
            for number, entry in enumerate(reader):
                if number >= _MAX_FILES:
                    raise TooLarge(f"an image archive of more than {_MAX_FILES} files")
                self._take(entry, reader)
            reader.drain(_MAX_TRAILER)
        except tar.TarError as error:
            self._archive.discard(self._snapshots)
            raise InvalidParameter(f"archive/tar: {error}") from None
        except BaseException:
            self._archive.discard(self._snapshots)
            raise
        return self._archive

    def _take(self, entry: tar.Entry, reader: tar.Reader) -> None:
        path = _normalize(entry.name.decode("utf-8", "surrogateescape"))
        self._archive.take_back(path, self._snapshots)
        if entry.type in (tar.SYMLINK, tar.HARD_LINK):
            link = entry.link.decode("utf-8", "surrogateescape")
            above = path.rpartition("/")[0] if entry.type == tar.SYMLINK else ""
            self._archive.links[path] = _normalize(f"{above}/{link}")
            return
        if entry.type != tar.REGULAR or entry.segments is not None:
            return
        pieces = reader.data()
        first = b""
        while len(first) < tar.BLOCK and (piece := next(pieces, None)) is not None:
            first += bytes(piece)
        if (path in _LISTS and entry.size <= _MAX_DOCUMENT) or _is_document(first, entry.size):
            self._document(path, first, pieces)
        elif (present := self._present(path)) is not None:
            self._archive.layers[path] = present
        elif detect(first) is not Compression.NONE or tar.looks_like_header(first[: tar.BLOCK]):
            self._layer(path, entry.size, first, pieces)
        else:
            self._archive.broken[path] = InvalidParameter(f"{path!r} is no layer: not a tar archive")

    def _present(self, path: str) -> ArrivedLayer | None:
        """What exists already under the digest that the path speaks of."""
        digest = f"sha256:{found[0]}" if (found := _HEX.search(path)) else ""
        # A manifest of a layout names the very blob: the same layer compressed otherwise is not it.
        if digest in self._known.layers and not path.startswith("blobs/"):
            return self._known.layers[digest].take()
        if digest in self._known.blobs:
            return ArrivedLayer(digest, self._known.blobs[digest])
        return None

    def _document(self, path: str, first: bytes, pieces: tar.Pieces) -> None:
        body = b"".join([first, *pieces])
        self._documents_size += len(body)
        if self._documents_size > _MAX_DOCUMENTS:
            raise TooLarge("an image archive with too many documents")
        self._archive.documents[path] = body

    def _layer(self, path: str, size: int, first: bytes, pieces: tar.Pieces) -> None:
        shown = found[0][:12] if (found := _HEX.search(path)) else _printable(path[:12])
        expected = f"sha256:{path[13:]}" if path.startswith("blobs/sha256/") else ""
        intake = LayerIntake(self._content, self._snapshots)
        try:
            intake.feed(first)
            done = len(first)
            self._progress(shown, done, size)
            for piece in pieces:
                intake.feed(bytes(piece))
                done += len(piece)
                self._progress(shown, done, size)
        except BaseException:
            intake.abort()
            raise
        try:
            layer = intake.finish(expected)
        except LadingError as error:
            # Only an image that needs it is broken by it.
            self._archive.broken[path] = error
            return
        self._archive.layers[path] = layer


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _is_document(first: bytes, size: int) -> bool:
    # Every tar header has a zero byte in its first block, no JSON text has one anywhere.
    return size <= _MAX_DOCUMENT and b"\0" not in first and first.lstrip()[:1] in (b"{", b"[")


def _normalize(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
