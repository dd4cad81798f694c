"""One layer on its way from a registry: fetched, verified and unpacked in one pass.

What has arrived outlives this: another try, in this pull or after a crash,
asks the registry only for the rest.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator

from lading.content import Content, DigestMismatch, Partial
from lading.distribution import BlobReader, Interrupted, RegistrySettings, Repository
from lading.errors import InternalError, InvalidParameter, LadingError, TooLarge
from lading.images.intake import ArrivedLayer, LayerIntake
from lading.oci.image import Descriptor
from lading.snapshots import Snapshots

Report = Callable[[str, int, int], None]
"""What is done now, how many bytes of how many."""

# Seconds between two lines about one layer.
_STEP = 0.1
# With so many bytes more than the last time, a break is not counted as one more failure.
_ADVANCE = 1 << 20
_LONGEST_PAUSE = 60.0
# With TLS, the network gives 16 KiB at once.
_PIECE = 128 << 10


class Stopped(Exception):
    """Nobody wants the layer any more."""


class _Failed(Exception):
    """The layer cannot be kept or unpacked here; its cause says why."""

    def __init__(self, cause: LadingError) -> None:
        super().__init__(cause.message)
        self.cause = cause


class WrongSize(InvalidParameter):
    """A blob is not as long as the manifest says."""

    def __init__(self, got: int | str, expected: int) -> None:
        super().__init__(f"failed size validation: {got} != {expected}: failed precondition")


class LayerFetch:
    """Fetches one layer. `run` belongs to one thread; `stop` may be called from any."""

    def __init__(
        self,
        content: Content,
        snapshots: Snapshots,
        repository: Repository,
        descriptor: Descriptor,
        settings: RegistrySettings,
        report: Report,
    ) -> None:
        self._content = content
        self._snapshots = snapshots
        self._repository = repository
        self._descriptor = descriptor
        self._size = descriptor.size
        self._settings = settings
        self._report = report
        self._reported = 0.0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._reader: BlobReader | None = None

    def stop(self) -> None:
        """Makes `run` raise Stopped, soon."""
        self._stopped.set()
        with self._lock:
            if self._reader is not None:
                self._reader.abort()

    def run(self) -> ArrivedLayer:
        """The layer, verified and unpacked. Blocks. Raises LadingError, Stopped."""
        partial = self._open()
        went_on = 0 < partial.left <= self._size
        try:
            return self._fetch(partial)
        except InvalidParameter as error:
            if not went_on or isinstance(error, WrongSize):
                raise
        # What lay here from before may be what was wrong.
        return self._fetch(self._open())

    def _open(self) -> Partial:
        try:
            partial = self._content.partial(self._descriptor.digest)
            if partial.left > self._size:
                partial.restart()
        except OSError as error:
            raise InternalError(f"cannot keep a layer: {error.strerror}") from None
        return partial

    def _fetch(self, partial: Partial) -> ArrivedLayer:
        intake = LayerIntake(self._content, self._snapshots, partial)
        try:
            self._recover(intake)
            self._download(intake, partial)
        except WrongSize:
            intake.abort()
            raise
        except _Failed as failed:
            intake.abort()
            raise _registering(failed.cause) from None
        except BaseException:
            intake.suspend()
            raise
        for action in ("Verifying Checksum", "Download complete"):
            self._report(action, 0, 0)
        self._report("Extracting", intake.unpacked, self._size)
        try:
            layer = intake.finish(self._descriptor.digest)
        except DigestMismatch:
            digest = self._descriptor.digest
            raise InvalidParameter(f"filesystem layer verification failed for digest {digest}") from None
        except LadingError as error:
            raise _registering(error) from None
        self._report("Extracting", self._size, self._size)
        layer.media_type = self._descriptor.media_type or layer.media_type
        return layer

    def _recover(self, intake: LayerIntake) -> None:
        try:
            intake.recover()
        except InternalError as error:
            raise _Failed(error) from None

    def _download(self, intake: LayerIntake, partial: Partial) -> None:
        failures, before = 0, partial.size
        while partial.size < self._size or not self._size:
            self._check(intake)
            self._tell(partial.size)
            try:
                self._read(intake, partial)
                break
            except Interrupted as error:
                self._check(intake)
                failures = 1 if partial.size - before >= _ADVANCE else failures + 1
                before = partial.size
                if failures >= self._settings.attempts:
                    raise
                self._pause(failures, error.retry_after)
        self._report("Downloading", self._size, self._size)

    def _read(self, intake: LayerIntake, partial: Partial) -> None:
        """Takes in the rest of the blob. Raises Interrupted, WrongSize."""
        reader = self._open_reader(partial.size)
        try:
            if reader.size not in (-1, self._size):
                raise WrongSize(reader.size, self._size)
            unwanted = partial.size - reader.offset
            if unwanted < 0:
                raise Interrupted(f"the registry left out bytes of blob {self._descriptor.digest}")
            for piece in self._pieces(reader, self._size - reader.offset):
                self._check(intake)
                if unwanted:
                    # Asked for a range, the registry began at the beginning.
                    piece, unwanted = piece[unwanted:], max(0, unwanted - len(piece))
                if partial.size + len(piece) > self._size:
                    raise WrongSize("more", self._size)
                self._feed(intake, piece)
                self._tell(partial.size)
            self._check(intake)
            if partial.size < self._size:
                raise Interrupted("unexpected EOF")
        except Interrupted:
            if partial.size < self._size:
                raise
        finally:
            with self._lock:
                self._reader = None
            reader.close()

    def _pieces(self, reader: BlobReader, expected: int) -> Iterator[bytes]:
        """The bytes of a blob in pieces that are worth a hand-over between threads. Raises Interrupted."""
        gathered: list[bytes] = []
        size = total = 0
        began = time.monotonic()
        try:
            # Where the registry has said how much there is, nothing more is waited for.
            while (total < expected or reader.size < 0) and (piece := reader.read()):
                gathered.append(piece)
                size += len(piece)
                total += len(piece)
                now = time.monotonic()
                if size >= _PIECE or total >= expected or now - began >= _STEP:
                    yield b"".join(gathered)
                    gathered, size, began = [], 0, now
        except Interrupted:
            if size:
                yield b"".join(gathered)
            raise
        except LadingError:
            # It has sent more than the blob's bytes.
            raise WrongSize("more", self._size) from None
        if size:
            yield b"".join(gathered)

    def _feed(self, intake: LayerIntake, piece: bytes) -> None:
        if piece:
            try:
                intake.feed(piece)
            except InternalError as error:
                raise _Failed(error) from None

    def _open_reader(self, offset: int) -> BlobReader:
        try:
            reader = self._repository.blob(self._descriptor, offset)
        except Interrupted as error:
            # The room below has tried again often enough.
            raise LadingError(error.message) from None
        with self._lock:
            self._reader = reader
            if self._stopped.is_set():
                reader.abort()
        return reader

    def _check(self, intake: LayerIntake) -> None:
        if self._stopped.is_set():
            raise Stopped
        # Bytes that do not make sense are read to their end: only the digest tells whose fault they are.
        if isinstance(intake.failure, InternalError | TooLarge):
            raise _Failed(intake.failure)

    def _tell(self, done: int) -> None:
        now = time.monotonic()
        if now - self._reported >= _STEP:
            self._reported = now
            self._report("Downloading", done, self._size)

    def _pause(self, failures: int, wanted: float) -> None:
        seconds = min(max(self._settings.pause * 2**failures, wanted), _LONGEST_PAUSE)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            shown = math.ceil(left)
            self._report(f"Retrying in {shown} second{'' if shown == 1 else 's'}", 0, 0)
            if self._stopped.wait(min(left, 1.0)):
                raise Stopped


def _registering(error: LadingError) -> LadingError:
    """As docker says it where files cannot be made."""
    return type(error)(f"failed to register layer: {error.message}")
