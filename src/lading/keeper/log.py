"""A container's log: the streams' lines, formatted, into the file the daemon chose."""

from __future__ import annotations

import time

from lading.keeper.formats import JsonFormat, LocalFormat
from lading.keeper.journal import Journal
from lading.keeper.lines import LAST, WHOLE, Splitter
from lading.keeper.logfile import Compress, LogFile
from lading.keeper.wire import Message


class Log:
    """One container's log for as long as it runs.

    `sink` is what the daemon's `logs` room opens: {"driver": "json-file" |
    "local", "path", "max_size" (bytes, 0: no limit), "max_file", "compress",
    "attrs" (JSON text, json-file only)}.
    """

    def __init__(self, sink: Message, slots: tuple[int, int], journal: Journal, compress: Compress) -> None:
        self._format: JsonFormat | LocalFormat
        if sink["driver"] == "local":
            self._format = LocalFormat()
        else:
            self._format = JsonFormat(sink.get("attrs") or "")
        self.file = LogFile(
            sink["path"],
            int(sink.get("max_size") or 0),
            int(sink.get("max_file") or 1),
            compress if sink.get("compress") else None,
        )
        self._journal = journal
        self._slots = slots
        self._splitters = (Splitter(), Splitter())

    def take(self, stream: int, pipe: int) -> bytes:
        """Reads from a stream's pipe through the journal; raises as `Journal.take`."""
        return self._journal.take(pipe, self._slots[stream - 1], self.file.inode, self.file.size)

    def write(self, stream: int, data: bytes) -> None:
        """Logs what `take` gave."""
        splitter = self._splitters[stream - 1]
        begun = splitter.pending, splitter.inside
        self._put(stream, splitter.feed(data), 0)
        if (splitter.pending, splitter.inside) != begun:
            self._keep(stream)

    def _keep(self, stream: int) -> None:
        splitter = self._splitters[stream - 1]
        self._journal.keep(self._slots[stream - 1], splitter.pending, splitter.inside)

    def done(self) -> None:
        """What `take` gave has reached everyone."""
        self._journal.commit()

    def restore(self) -> None:
        """Takes up where a dead keeper was; what it had read but not finished with is logged anew."""
        flying = self._journal.in_flight
        for stream in (1, 2):
            slot, splitter = self._slots[stream - 1], self._splitters[stream - 1]
            splitter.pending, splitter.inside = self._journal.restore(slot)
            if flying is not None and flying.slot == slot:
                self.file.cut(flying.inode, flying.size)
                text = (splitter.pending + flying.data)[flying.done :]
                splitter.pending = b""
                self._put(stream, splitter.feed(text), flying.done)
                # Even if nothing changed: what the dead one may have kept last must not count.
                self._keep(stream)
                self._journal.commit()

    def _put(self, stream: int, runs: list[tuple[int, bytes]], done: int) -> None:
        now = time.time_ns()
        for kind, text in runs:
            self._put_run(stream, kind, text, now, done)
            done += len(text) + (kind == LAST)

    def _put_run(self, stream: int, kind: int, text: bytes, now: int, done: int) -> None:
        """Logs one block or piece; where the file fills up in its midst, by halves.

        `done` bytes of what the journal holds come before it.
        """
        file = self.file
        if file.room <= 0:
            compressible = file.rotate()
            self._journal.mark(self._slots[stream - 1], file.inode, file.size, done)
            if compressible:
                file.compress()
        records = self._format.format(stream, kind, text, now)
        if kind == WHOLE and len(records) >= file.room:
            middle = text.rfind(b"\n", 0, len(text) // 2) + 1 or text.find(b"\n") + 1
            if middle < len(text):
                self._put_run(stream, kind, text[:middle], now, done)
                self._put_run(stream, kind, text[middle:], now, done + middle)
                return
        file.append(records, text.count(b"\n") if kind == WHOLE else 1)

    def finish(self) -> None:
        """Logs what was printed without a newline and closes the file."""
        try:
            for stream in (1, 2):
                self._put(stream, self._splitters[stream - 1].finish(), 0)
                self._keep(stream)
        finally:
            for slot in self._slots:
                self._journal.release(slot)
            self.file.close()
