"""A log file taken back to where a dead keeper's journal says it stood."""

from pathlib import Path

from lading.keeper.logfile import LogFile


def files(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir()}


def test_what_was_written_since_is_cut_off(tmp_path: Path) -> None:
    log = LogFile(str(tmp_path / "log"), 0, 1, None)
    log.append(b"kept\n", 1)
    before = log.inode, log.size
    log.append(b"lost\n", 1)
    again = LogFile(log.path, 0, 1, None)
    again.cut(*before)
    assert files(tmp_path) == {"log": "kept\n"}


def test_a_rotation_is_taken_back(tmp_path: Path) -> None:
    log = LogFile(str(tmp_path / "log"), 5, 4, None)
    for text in (b"first\n", b"second\n"):
        log.append(text, 1)
        log.rotate()
    log.append(b"kept\n", 1)
    before = log.inode, log.size
    log.append(b"lost\n", 1)
    log.rotate()
    assert set(files(tmp_path)) == {"log", "log.1", "log.2", "log.3"}
    again = LogFile(log.path, 5, 4, None)
    again.cut(*before)
    assert files(tmp_path) == {"log": "kept\n", "log.1": "second\n", "log.2": "first\n"}
    again.append(b"after\n", 1)
    assert files(tmp_path)["log"] == "kept\nafter\n"


def test_a_file_that_is_another_by_now_is_left_alone(tmp_path: Path) -> None:
    log = LogFile(str(tmp_path / "log"), 5, 4, None)
    before = log.inode, log.size
    log.append(b"first\n", 1)
    log.rotate()
    log.append(b"second\n", 1)
    again = LogFile(log.path, 5, 4, None)
    again.cut(*before)
    assert files(tmp_path) == {"log": "second\n", "log.1": "first\n"}
