"""What others were caught by, tried on this engine; more stand beside what they attack."""

import os

import pytest
from tests.engine.engine import IMAGE, Engine, wait_for


@pytest.mark.parametrize("user", ["0", "1000"])
def test_cve_2022_24769_no_capability_is_inheritable(engine: Engine, user: str) -> None:
    """Programs with inheritable file capabilities got those of the bounding set."""
    command = ("-u", user, "--cap-add", "NET_ADMIN")
    shown = engine.docker("run", "--rm", *command, IMAGE, "grep", "Cap", "/proc/self/status").stdout.decode()
    assert "CapInh:\t0000000000000000" in shown
    assert "CapAmb:\t0000000000000000" in shown


@pytest.mark.parametrize("user", ["0", "1000"])
def test_cve_2022_29162_nor_in_an_exec(engine: Engine, user: str) -> None:
    engine.docker("run", "-d", "--name", "box", IMAGE, "sleep", "1000")
    shown = engine.docker("exec", "-u", user, "box", "grep", "Cap", "/proc/self/status").stdout.decode()
    assert "CapInh:\t0000000000000000" in shown
    assert "CapAmb:\t0000000000000000" in shown


def test_cve_2021_41091_strangers_do_not_get_into_the_data_root(engine: Engine) -> None:
    """Set-user-id programs in images could be run by every user of the machine."""
    engine.docker("run", "-d", IMAGE, "sleep", "1000")
    for place in (engine.data_root, engine.exec_root):
        assert os.stat(place).st_mode & 0o007 == 0, place


def test_cve_2019_5736_the_runtimes_program_cannot_be_written_from_inside(engine: Engine) -> None:
    """What entered a container was the host's own file, and could be opened there for writing."""
    engine.docker("run", "-d", "--name", "trap", IMAGE, "sleep", "1000")
    attempt = "for p in /proc/[0-9]*/exe; do true >>$p && echo wrote $p; done"
    trap = f"for i in $(seq 3000); do {attempt}; done >/out 2>&1"
    engine.docker("exec", "-d", "trap", "sh", "-c", trap)
    for _ in range(20):
        engine.docker("exec", "trap", "true")
    wait_for(lambda: b"/exe" in engine.docker("exec", "trap", "cat", "/out").stdout)
    said = engine.docker("exec", "trap", "cat", "/out").stdout
    assert b"wrote" not in said
    for program in engine.exec_root.joinpath("programs").iterdir():
        assert os.statvfs(program).f_flag & os.ST_RDONLY


def test_cve_2020_15257_no_abstract_socket_of_ours_takes_orders(engine: Engine) -> None:
    """A container on the host's network reached the shim's socket, which had no place in the file system."""
    shown = engine.docker("run", "--rm", "--network", "host", IMAGE, "cat", "/proc/net/unix").stdout.decode()
    names = [line.split()[-1] for line in shown.splitlines() if "@" in line]
    listening = [line for line in shown.splitlines() if "@" in line and line.split()[3] == "00010000"]
    assert not [line for line in listening if "lading" in line or "keeper" in line], names
