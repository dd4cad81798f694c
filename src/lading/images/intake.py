"""A layer on its way in: hashed, kept as a blob, inflated and unpacked in one pass.

The thread that reads the archive or the network feeds the compressed bytes;
a thread of the layer's own does the rest, so both cores have work.
"""

import hashlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from lading.content import Compression, Content, Ingest, Partial, detect, inflate
from lading.errors import InternalError, InvalidParameter, LadingError
from lading.oci.image import LAYER, LAYER_GZIP, LAYER_ZSTD
from lading.snapshots import Snapshots, Staged

# Pieces under way between the two threads: some megabytes.
_PIECES = 8
_TYPES = {Compression.GZIP: LAYER_GZIP, Compression.ZSTD: LAYER_ZSTD}


@dataclass(slots=True)
class ArrivedLayer:
    """A layer that is here but does not exist yet, or (without `ingest` and `staged`) one that does.

    `digest` is that of its blob; `diff_id`, where known, that of the plain archive.
    """

    digest: str
    diff_id: str = ""
    media_type: str = LAYER
    ingest: Ingest | None = None
    staged: Staged | None = None

    def take(self) -> "ArrivedLayer":
        """The layer for one place in one image: what has arrived goes to the first that takes it."""
        taken = ArrivedLayer(self.digest, self.diff_id, self.media_type, self.ingest, self.staged)
        self.ingest = self.staged = None
        return taken

    def discard(self, snapshots: Snapshots) -> None:
        """Drops what does not exist yet."""
        if self.ingest is not None:
            self.ingest.discard()
        if self.staged is not None:
            snapshots.discard(self.staged)

    def leave(self, snapshots: Snapshots) -> None:
        """Drops what does not exist yet, but not bytes that another transfer can go on with."""
        if self.ingest is not None:
            self.ingest.leave()
        if self.staged is not None:
            snapshots.discard(self.staged)


class LayerIntake:
    """Takes one layer from `feed` to `finish`, or drops it on `abort`. Used from one thread.

    `partial` is the blob where some of it may be here already: then `recover` comes first.
    """

    def __init__(self, content: Content, snapshots: Snapshots, partial: Partial | None = None) -> None:
        self.unpacked = 0
        """How many bytes of the blob the unpacking side has taken."""
        self._snapshots = snapshots
        self._pieces: queue.Queue[bytes | None] = queue.Queue(_PIECES)
        self._hash = hashlib.sha256()
        self._compression = Compression.NONE
        self._staged: Staged | None = None
        self._failure: BaseException | None = None
        self._drained = False
        self._partial = partial
        self._ingest = partial or content.ingest()
        self._thread = threading.Thread(target=self._unpack, name="unpack a layer", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> BaseException | None:
        """Why it cannot be unpacked, as soon as that is known."""
        return self._failure

    def recover(self) -> None:
        """Takes in the bytes that are here already. Raises LadingError where they cannot be read."""
        if self._partial is None:
            return
        try:
            for piece in self._partial.recover():
                self._pieces.put(piece)
        except OSError as error:
            raise InternalError(f"cannot read a layer: {error.strerror}") from None

    def feed(self, piece: bytes) -> None:
        """The next bytes as they came. Raises LadingError where the blob cannot be written."""
        try:
            self._ingest.write(piece)
        except OSError as error:
            raise InternalError(f"cannot write a layer: {error.strerror}") from None
        self._pieces.put(piece)

    def finish(self, expected: str = "") -> ArrivedLayer:
        """Ends the layer. Raises LadingError where it is bad or its digest is not the `expected` one."""
        self._pieces.put(b"")
        self._thread.join()
        try:
            # Bytes that are not those meant need not make sense, so that is said first.
            digest = self._ingest.finish(expected)
            if self._failure is not None:
                raise self._failure
        except BaseException:
            self._drop()
            raise
        plain = self._compression is Compression.NONE
        diff_id = digest if plain else f"sha256:{self._hash.hexdigest()}"
        media_type = _TYPES.get(self._compression, LAYER)
        return ArrivedLayer(digest, diff_id, media_type, self._ingest, self._staged)

    def abort(self) -> None:
        """Drops the layer."""
        self._pieces.put(None)
        self._thread.join()
        self._drop()

    def suspend(self) -> None:
        """Drops the layer, but not the bytes of its blob where another transfer can go on with them."""
        self._pieces.put(None)
        self._thread.join()
        self._ingest.leave()
        self._unstage()

    def _drop(self) -> None:
        self._ingest.discard()
        self._unstage()

    def _unstage(self) -> None:
        if self._staged is not None:
            self._snapshots.discard(self._staged)
            self._staged = None

    def _pull(self) -> bytes:
        piece = self._pieces.get()
        if not piece:
            self._drained = True
        if piece is None:
            raise InvalidParameter("the layer was given up")
        self.unpacked += len(piece)
        return piece

    def _unpack(self) -> None:
        try:
            first = self._pull()
            while 0 < len(first) < 6 and (more := self._pull()):
                first += more
            self._compression = detect(first)
            source = prepend(first, self._pull)
            if self._compression is not Compression.NONE:
                source = self._hashed(inflate(source, self._compression))
            self._staged = self._snapshots.stage(source)
        except LadingError as error:
            self._failure = error
        except Exception as error:
            self._failure = InternalError(f"cannot unpack a layer: {error}")
        while not self._drained:
            # The feeding side must never wait for a reader that has given up.
            try:
                self._pull()
            except InvalidParameter:
                break

    def _hashed(self, source: Callable[[], bytes]) -> Callable[[], bytes]:
        def pull() -> bytes:
            piece = source()
            self._hash.update(piece)
            return piece

        return pull


def prepend(first: bytes, pull: Callable[[], bytes]) -> Callable[[], bytes]:
    """A source that gives `first` before everything else."""
    waiting = [first] if first else []
    ended = not first

    def source() -> bytes:
        nonlocal ended
        if waiting:
            return waiting.pop()
        if ended:
            return b""
        piece = pull()
        ended = not piece
        return piece

    return source


def restage(layer: ArrivedLayer, path: str, snapshots: Snapshots) -> Staged:
    """Unpacks once more a layer whose blob is at `path`. Blocks.

    Raises LadingError where it is bad or not the layer it should be.
    """
    digest = hashlib.sha256()
    try:
        with open(path, "rb", buffering=0) as file:
            compression = detect(file.read(6))
            file.seek(0)
            inflated = inflate(lambda: file.read(1 << 18), compression)

            def pull() -> bytes:
                piece = inflated()
                digest.update(piece)
                return piece

            staged = snapshots.stage(pull)
    except OSError as error:
        raise InternalError(f"cannot read layer {layer.digest}: {error.strerror}") from None
    if f"sha256:{digest.hexdigest()}" != layer.diff_id:
        snapshots.discard(staged)
        raise InvalidParameter(f"layer {layer.digest} does not unpack to {layer.diff_id}")
    return staged
