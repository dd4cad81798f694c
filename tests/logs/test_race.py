"""The keeper's own log file, written at full speed by one process and followed by another."""

import asyncio
import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lading.logs import LogQuery, LogReader, log_path
from lading.logs.forward.spool import Spool

WRITER = """
import sys, time
from lading.keeper.formats import JsonFormat, LocalFormat
from lading.keeper.logfile import LogFile

driver, path, lines, capacity = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
format = LocalFormat() if driver == "local" else JsonFormat("")
log = LogFile(path, capacity, 10_000, None)
for start in range(0, lines, 7):
    text = "".join(f"{number}\\n" for number in range(start, min(start + 7, lines)))
    if log.room <= 0:
        log.rotate()
    log.append(format.format(1, 0, text.encode(), time.time_ns()), 7)
"""


def size(directory: Path) -> int:
    sizes = 0
    for path in directory.iterdir():
        with contextlib.suppress(FileNotFoundError):
            sizes += path.stat().st_size
    return sizes


def test_what_waits_to_be_sent_is_read_once_and_in_order_and_then_removed(tmp_path: Path) -> None:
    count, most = 50_000, 0
    path = str(tmp_path / "spool.log")
    writer = subprocess.Popen([sys.executable, "-c", WRITER, "local", path, str(count), "20000"])
    spool, got, before = Spool(path), list[str](), None
    deadline = time.monotonic() + 60
    while len(got) < count and time.monotonic() < deadline:
        got += [entry.line.decode() for entry in spool.read()]
        position = spool.position
        if before is not None and position is not None and before.inode != position.inode:
            most = max(most, size(tmp_path))
            spool.trim(3, position)
        # As after a failure, and as a new daemon does it.
        if len(got) % 5 == 0:
            spool.seek(position)
        elif len(got) % 7 == 0:
            spool.close()
            spool.seek(position)
        before = position
    assert writer.wait() == 0
    assert got == [str(number) for number in range(count)]
    assert size(tmp_path) <= 3 * 21_000 < most


@pytest.mark.parametrize("driver", ["json-file", "local"])
def test_every_line_arrives_once_and_in_order(tmp_path: Path, driver: str) -> None:
    count = 20_000
    path = log_path(driver, str(tmp_path), "c0ffee")

    async def scene() -> bytes:
        ended = asyncio.get_running_loop().create_future()
        reader = LogReader()
        words = ("-c", WRITER, driver, path, str(count), "20000")
        writer = await asyncio.create_subprocess_exec(sys.executable, *words)
        pieces = reader.read(
            driver, str(tmp_path), "c0ffee", LogQuery(follow=True), framed=False, ended=ended
        )

        async def collect() -> bytes:
            return b"".join([piece async for piece in pieces])

        collecting = asyncio.create_task(collect())
        assert await writer.wait() == 0
        ended.set_result(None)
        return await collecting

    text = asyncio.run(scene())
    assert text.decode().split() == [str(number) for number in range(count)]
