"""Reading logs that lie in several files, and such as grow and are set aside meanwhile."""

import asyncio
import gzip
import json
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from lading.errors import Unsupported
from lading.keeper.formats import JsonFormat, LocalFormat
from lading.keeper.lines import WHOLE
from lading.logs import LogQuery, LogReader, log_path
from lading.units import now_ns

CONTAINER = "c0ffee"
START = 1_700_000_000_000_000_000
DRIVERS = ["json-file", "local"]


class Writer:
    """Writes a container's log as the keeper does, one line at a time."""

    def __init__(self, directory: Path, driver: str, max_file: int = 5, compress: bool = False) -> None:
        self.path = log_path(driver, str(directory), CONTAINER)
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        self._format = LocalFormat() if driver == "local" else JsonFormat("")
        self._max_file = max_file
        self._compress = compress
        self._file = FileIO(self.path, "ab")

    def line(self, number: int, stream: int = 1) -> None:
        self._file.write(self._format.format(stream, WHOLE, f"line {number}\n".encode(), START + number))

    def torn(self, number: int) -> Callable[[], None]:
        """The first half of a line; what is returned writes the other."""
        record = self._format.format(1, WHOLE, f"line {number}\n".encode(), START + number)
        self._file.write(record[:20])
        return lambda: (self._file.write(record[20:]), None)[1]

    def rotate(self) -> None:
        for number in range(self._max_file - 2, 0, -1):
            for ending in ("", ".gz"):
                if os.path.exists(f"{self.path}.{number}{ending}"):
                    os.rename(f"{self.path}.{number}{ending}", f"{self.path}.{number + 1}{ending}")
        if self._max_file > 1:
            os.rename(self.path, f"{self.path}.1")
        else:
            os.unlink(self.path)
        self._file.close()
        self._file = FileIO(self.path, "ab")
        if self._compress:
            plain = Path(f"{self.path}.1")
            Path(f"{self.path}.tmp").write_bytes(gzip.compress(plain.read_bytes()))
            os.rename(f"{self.path}.tmp", f"{self.path}.1.gz")
            plain.unlink()


def read(
    directory: Path, driver: str, query: LogQuery, ended: "asyncio.Future[Any] | None" = None
) -> AsyncIterator[bytes]:
    return LogReader().read(driver, str(directory), CONTAINER, query, framed=False, ended=ended)


def lines(directory: Path, driver: str, **query: Any) -> list[int]:
    async def collect() -> bytes:
        return b"".join([piece async for piece in read(directory, driver, LogQuery(**query))])

    return numbers(asyncio.run(collect()))


def numbers(text: bytes | bytearray) -> list[int]:
    return [int(line.removeprefix("line ")) for line in text.decode().splitlines()]


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("compress", [False, True])
def test_all_files_in_order_and_tails_across_them(tmp_path: Path, driver: str, compress: bool) -> None:
    writer = Writer(tmp_path, driver, compress=compress)
    for number in range(400):
        if number % 100 == 99:
            writer.rotate()
        writer.line(number)
    assert lines(tmp_path, driver) == list(range(400))
    for count in (0, 1, 10, 101, 399, 1000):
        assert lines(tmp_path, driver, tail=count) == list(range(400))[400 - min(count, 400) :]
    middle = {"since_ns": START + 50, "until_ns": START + 350}
    assert lines(tmp_path, driver, **middle) == list(range(50, 351))


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_container_that_has_printed_nothing_has_an_empty_log(tmp_path: Path, driver: str) -> None:
    assert lines(tmp_path, driver) == []
    assert lines(tmp_path / "gone", driver, tail=3) == []


def test_files_too_old_for_since_are_not_even_unpacked(tmp_path: Path) -> None:
    writer = Writer(tmp_path, "json-file", compress=True)
    writer.line(1)
    writer.rotate()
    writer.line(2)
    packed = f"{writer.path}.1.gz"
    Path(packed).write_bytes(b"not gzip")
    os.utime(packed, (1, 1))
    assert lines(tmp_path, "json-file", since_ns=START) == [2]


def test_a_damaged_old_file_does_not_hide_the_others(tmp_path: Path) -> None:
    writer = Writer(tmp_path, "json-file", compress=True)
    for number in range(3):
        writer.line(number)
        writer.rotate()
    writer.line(3)
    whole = Path(f"{writer.path}.2.gz").read_bytes()
    Path(f"{writer.path}.2.gz").write_bytes(whole[: len(whole) // 2])
    assert lines(tmp_path, "json-file") == [0, 2, 3]


def test_the_driver_that_keeps_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="configured logging driver does not support reading"):
        read(tmp_path, "none", LogQuery())


def test_a_line_longer_than_a_slice(tmp_path: Path) -> None:
    text = "x" * 1_000_000 + "\n"
    path = Path(log_path("json-file", str(tmp_path), CONTAINER))
    path.write_text(json.dumps({"log": text, "stream": "stdout", "time": "2024-01-01T00:00:00Z"}) + "\n")

    async def collect() -> bytes:
        return b"".join([piece async for piece in read(tmp_path, "json-file", LogQuery(tail=1))])

    assert asyncio.run(collect()).decode() == text


def follow(
    directory: Path,
    driver: str,
    act: Callable[[Callable[[int], Coroutine[Any, Any, None]]], Coroutine[Any, Any, None]],
    **query: Any,
) -> list[int]:
    """Follows while `act` does something; it may wait for a line to arrive."""

    async def scene() -> list[int]:
        ended = asyncio.get_running_loop().create_future()
        arrived = asyncio.Condition()
        text = bytearray()

        async def collect() -> None:
            async for piece in read(directory, driver, LogQuery(follow=True, **query), ended):
                async with arrived:
                    text.extend(piece)
                    arrived.notify_all()

        async def until(number: int) -> None:
            async with asyncio.timeout(20), arrived:
                await arrived.wait_for(lambda: number in numbers(text))

        collecting = asyncio.create_task(collect())
        await act(until)
        ended.set_result(None)
        async with asyncio.timeout(20):
            await collecting
        return numbers(text)

    return asyncio.run(scene())


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("max_file", [1, 3])
@pytest.mark.parametrize("compress", [False, True])
def test_following_across_rotations_loses_and_repeats_nothing(
    tmp_path: Path, driver: str, max_file: int, compress: bool
) -> None:
    writer = Writer(tmp_path, driver, max_file=max_file, compress=compress and max_file > 1)
    writer.line(0)

    async def act(until: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        await until(0)
        for number in range(1, 200):
            writer.line(number)
            if number % 20 == 0:
                writer.rotate()
                writer.line(number + 10_000)
                await until(number + 10_000)

    everything = [0]
    for number in range(1, 200):
        everything += [number, number + 10_000] if number % 20 == 0 else [number]
    assert follow(tmp_path, driver, act) == everything


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("compress", [False, True])
def test_several_rotations_at_once_while_following(tmp_path: Path, driver: str, compress: bool) -> None:
    writer = Writer(tmp_path, driver, max_file=9, compress=compress)
    writer.line(0)

    async def act(until: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        await until(0)
        # No await in between: the follower sees all of it at once.
        for number in range(1, 50):
            writer.line(number)
            if number % 10 == 0:
                writer.rotate()

    assert follow(tmp_path, driver, act) == list(range(50))


@pytest.mark.parametrize("driver", DRIVERS)
def test_following_begins_at_the_tail_and_waits_for_whole_lines(tmp_path: Path, driver: str) -> None:
    writer = Writer(tmp_path, driver)
    for number in range(10):
        writer.line(number)

    async def act(until: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        await until(9)
        finish = writer.torn(10)
        await asyncio.sleep(0.05)
        finish()
        await until(10)
        writer.line(11)

    assert follow(tmp_path, driver, act, tail=2) == [8, 9, 10, 11]


def test_following_what_does_not_exist_yet(tmp_path: Path) -> None:
    async def act(until: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        await asyncio.sleep(0.05)
        writer = Writer(tmp_path, "json-file")
        writer.line(1)
        await until(1)
        writer.rotate()
        writer.line(2)

    assert follow(tmp_path, "json-file", act) == [1, 2]


def test_following_a_file_that_its_owner_empties(tmp_path: Path) -> None:
    writer = Writer(tmp_path, "json-file")
    for number in range(100):
        writer.line(number)

    async def act(until: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        await until(99)
        os.truncate(writer.path, 0)
        writer.line(100)
        await until(100)

    assert follow(tmp_path, "json-file", act) == list(range(101))


def test_following_ends_when_until_has_come(tmp_path: Path) -> None:
    Writer(tmp_path, "json-file").line(1)

    async def scene() -> bytes:
        never = asyncio.get_running_loop().create_future()
        query = LogQuery(follow=True, until_ns=now_ns() + 50_000_000)
        async with asyncio.timeout(20):
            return b"".join([piece async for piece in read(tmp_path, "json-file", query, never)])

    assert numbers(asyncio.run(scene())) == [1]


def test_one_who_stops_following_leaves_nothing_open(tmp_path: Path) -> None:
    writer = Writer(tmp_path, "json-file", compress=True)
    writer.line(1)
    writer.rotate()
    writer.line(2)

    async def scene() -> tuple[set[str], set[str]]:
        reader = LogReader()
        never = asyncio.get_running_loop().create_future()
        before = set(os.listdir("/proc/self/fd"))
        for _ in range(3):
            following = reader.read(
                "json-file", str(tmp_path), CONTAINER, LogQuery(follow=True), framed=True, ended=never
            )
            task = asyncio.ensure_future(_exhaust(following))
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.wait([task])
        return before, set(os.listdir("/proc/self/fd"))

    before, after = asyncio.run(scene())
    assert len(after) == len(before)


async def _exhaust(pieces: AsyncIterator[bytes]) -> None:
    async for _ in pieces:
        pass
