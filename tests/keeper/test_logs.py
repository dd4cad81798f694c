"""Log files on real file systems: rotation, compression, a disk that is full."""

import gzip
import json
import resource
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.keeper.driver import KeeperProcess


def logged(path: Path) -> list[str]:
    """What the files of a log say, oldest first."""
    numbered = sorted(path.parent.glob(f"{path.name}.*"), key=lambda each: -int(each.name.split(".")[2]))
    texts = [
        gzip.decompress(each.read_bytes()) if each.suffix == ".gz" else each.read_bytes()
        for each in [*numbered, path]
    ]
    return [json.loads(line)["log"] for text in texts for line in text.splitlines()]


def run(keeper: KeeperProcess, command: str, **options: object) -> Path:
    path = keeper.log_path("a")
    sink = {"driver": "json-file", "path": str(path), **options}
    keeper.launch("a", "sh", "-c", command, sink=sink)
    assert keeper.daemon.wait("exit", "a")["code"] == 0
    return path


def test_files_are_set_aside_at_their_size(keeper: KeeperProcess) -> None:
    path = run(keeper, "seq 1 1000", max_size=10_000, max_file=100)
    assert logged(path) == [f"{number}\n" for number in range(1, 1001)]
    record = len(path.read_bytes().splitlines()[0]) + 1
    for part in path.parent.glob(f"{path.name}.*"):
        assert 10_000 <= part.stat().st_size < 10_000 + record + 3


def test_only_so_many_files_remain_and_they_are_the_latest(keeper: KeeperProcess) -> None:
    path = run(keeper, "seq 1 1000", max_size=2_000, max_file=3)
    assert sorted(each.name for each in path.parent.glob(f"{path.name}*")) == [
        path.name,
        f"{path.name}.1",
        f"{path.name}.2",
    ]
    found = [int(text) for text in logged(path)]
    assert found == list(range(found[0], 1001))


def test_a_single_file_is_begun_anew(keeper: KeeperProcess) -> None:
    path = run(keeper, "seq 1 1000", max_size=2_000, max_file=1)
    found = [int(text) for text in logged(path)]
    assert found == list(range(found[0], 1001))
    assert path.stat().st_size < 2_200
    assert not list(path.parent.glob(f"{path.name}.*"))


def test_files_set_aside_are_compressed(keeper: KeeperProcess) -> None:
    path = run(keeper, "seq 1 5000", max_size=100_000, max_file=20, compress=True)
    deadline = time.monotonic() + 20
    while any(path.parent.glob("*.tmp")) or not any(path.parent.glob("*.gz")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert logged(path) == [f"{number}\n" for number in range(1, 5001)]
    assert not [each for each in path.parent.glob(f"{path.name}.*") if each.suffix != ".gz"]


def test_output_goes_on_though_files_cannot_be_compressed(keeper: KeeperProcess) -> None:
    for number in range(1, 100):
        Path(f"{keeper.log_path('a')}.{number}.tmp").mkdir()
    path = run(keeper, "seq 1 5000", max_size=100_000, max_file=20, compress=True)
    for number in range(1, 100):
        Path(f"{path}.{number}.tmp").rmdir()
    assert logged(path) == [f"{number}\n" for number in range(1, 5001)]
    assert f"{path}.1 stays uncompressed: Is a directory" in keeper.log.read_text()


def test_a_log_that_fails_holds_nobody_up(keeper: KeeperProcess) -> None:
    printing = "read x; for i in 1 2 3; do echo $i; sleep 0.05; done; exit 3"
    keeper.launch("a", "sh", "-c", printing, open_stdin=True)
    user = keeper.attach("a")
    # Not even the journal, which is memory, can be written to at its places any more.
    resource.prlimit(keeper.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    user.send(b"\n")
    assert user.read_all() == b"1\n2\n3\n"
    assert keeper.daemon.wait("exit", "a")["code"] == 3
    assert (keeper.directory / "a.exit").exists()
    assert keeper.log.read_text().count("not all that a prints is logged: OSError(27, 'File too large')") == 1


def test_a_long_line_rotates_as_a_whole_piece(keeper: KeeperProcess) -> None:
    path = run(keeper, "head -c 50000 /dev/zero | tr '\\0' x; echo; echo end", max_size=1_000, max_file=10)
    assert [len(text) for text in logged(path)] == [16384, 16384, 16384, 50000 - 3 * 16384 + 1, 4]


def test_both_streams_keep_their_unfinished_lines_apart(keeper: KeeperProcess) -> None:
    path = run(keeper, "printf out; printf err >&2; sleep 0.1; echo put; echo or >&2")
    assert sorted(logged(path)) == ["error\n", "output\n"]


def test_docker_can_read_what_a_terminal_would_garble(keeper: KeeperProcess) -> None:
    path = run(keeper, "printf 'a\\tb\\033[0m\\377\\r\\n'")
    assert path.read_bytes().startswith(
        b'{"log":"a\\u0009b\\u001b[0m\\ufffd\\r\\n","stream":"stdout","time":"'
    )


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for 64 KiB."""
    place = tmp_path / "tiny"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_costs_lines_but_no_container(keeper: KeeperProcess, tiny: Path) -> None:
    path = tiny / "a-json.log"
    # Before the disk is full: then not even an empty file can be made.
    filler = path.with_name("filler")
    filler.write_bytes(b"x" * (tiny.stat().st_blksize * 4))
    sink = {"driver": "json-file", "path": str(path)}
    record = str(tiny / "a.exit")
    user = keeper.attach("a", stderr=False)
    script = "seq 1 5000; echo full; read x; echo again; read x; echo end >&2"
    keeper.launch("a", "sh", "-c", script, sink=sink, record=record, open_stdin=True)
    user.read_until(b"5000\nfull\n")
    assert all(json.loads(line) for line in path.read_bytes().splitlines())
    assert "No space left on device" in keeper.log.read_text()
    path.write_bytes(b"")
    filler.unlink()
    user.send(b"\n")
    user.read_until(b"again\n")
    user.send(b"\n")
    assert keeper.daemon.wait("exit", "a")["code"] == 0
    assert [json.loads(line)["log"] for line in path.read_bytes().splitlines()] == ["again\n", "end\n"]
    assert keeper.log.read_text().count("No space left on device") == 1
    assert "records were dropped" in keeper.log.read_text()


def test_an_exit_is_told_though_no_record_can_be_written(keeper: KeeperProcess, tiny: Path) -> None:
    filler = tiny / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"x" * 100_000)
    record = tiny / "a.exit"
    keeper.launch("a", "sh", "-c", "exit 9", record=str(record))
    assert keeper.daemon.wait("exit", "a")["code"] == 9
    filler.unlink()
    deadline = time.monotonic() + 20
    while not record.exists():
        assert time.monotonic() < deadline, "the record is written as soon as there is room"
        time.sleep(0.05)
    assert json.loads(record.read_text())["code"] == 9
