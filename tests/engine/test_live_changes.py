"""Beyond docker: ports and mounts of a container that runs already."""

import contextlib
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine.engine import IMAGE, Engine, wait_for

SERVE = "mkdir /w; echo served > /w/index.html; httpd -f -p 80 -h /w"


def _get(port: int) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            client.settimeout(5)
            answer = b""
            while piece := client.recv(4096):
                answer += piece
            return answer
    except OSError:
        return b""


def _serving(port: int) -> bool:
    return b"served" in _get(port)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ports(engine: Engine, name: str) -> list[str]:
    return sorted(engine.docker("port", name).stdout.decode().split("\n")[:-1])


def test_a_port_comes_and_goes_while_the_container_runs(engine: Engine) -> None:
    first, second = _free_port(), _free_port()
    engine.docker("run", "-d", "--name", "web", "-p", f"{first}:80", IMAGE, "sh", "-c", SERVE)
    wait_for(lambda: _serving(first))
    pid = engine.get("/containers/web/json")["State"]["Pid"]
    assert engine.lading("update", "--publish-add", f"127.0.0.1:{second}:80", "web").stdout == b"web\n"
    assert _serving(first)
    assert _serving(second)
    assert _ports(engine, "web") == sorted([f"80/tcp -> 0.0.0.0:{first}", f"80/tcp -> 127.0.0.1:{second}"])
    engine.lading("update", "--publish-rm", str(first), "web")
    assert _get(first) == b""
    assert _serving(second)
    shown = engine.get("/containers/web/json")
    assert shown["State"]["Pid"] == pid
    assert shown["HostConfig"]["PortBindings"] == {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(second)}]
    }
    engine.docker("restart", "-t", "0", "web")
    wait_for(lambda: _serving(second))
    assert _get(first) == b""


def test_what_changed_outlives_the_engine(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    port = _free_port()
    engine.docker("run", "-d", "--name", "web", IMAGE, "sh", "-c", SERVE)
    engine.lading("update", "--publish-add", f"{port}:80", "web")
    wait_for(lambda: _serving(port))
    engine.kill()
    engine.start()
    assert _serving(port)
    assert _ports(engine, "web") == [f"80/tcp -> 0.0.0.0:{port}"]


def test_a_port_that_cannot_be_had_changes_nothing(engine: Engine) -> None:
    taken, held = _free_port(), _free_port()
    engine.docker("run", "-d", "--name", "web", "-p", f"{held}:80", IMAGE, "sh", "-c", SERVE)
    engine.docker("run", "-d", "-p", f"{taken}:80", IMAGE, "sleep", "99")
    before = engine.get("/containers/web/json")
    flags = ("--publish-rm", str(held), "--publish-add", f"{taken}:80")
    done = engine.lading("update", *flags, "web", check=False)
    assert done.returncode == 1
    assert f"Bind for 0.0.0.0:{taken} failed: port is already allocated" in done.stderr.decode()
    wait_for(lambda: _serving(held))
    after = engine.get("/containers/web/json")
    for key in ("HostConfig", "NetworkSettings", "Config"):
        assert after[key] == before[key]


def test_ports_of_a_container_that_does_not_run(engine: Engine) -> None:
    first, second = _free_port(), _free_port()
    engine.docker("create", "--name", "web", "-p", f"{first}:80", IMAGE, "sh", "-c", SERVE)
    engine.lading("update", "--publish-rm", f"{first}:80", "--publish-add", f"{second}:80", "web")
    engine.docker("start", "web")
    wait_for(lambda: _serving(second))
    assert _ports(engine, "web") == [f"80/tcp -> 0.0.0.0:{second}"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--publish-rm 9", "No public port '9' published"),
        ("--publish-add 80:x", "invalid containerPort: x"),
        ("--publish-rm x", "invalid published port: x"),
    ],
)
def test_ports_that_make_no_sense(engine: Engine, flags: str, said: str) -> None:
    engine.docker("run", "-d", "--name", "web", IMAGE, "sleep", "99")
    done = engine.lading("update", *flags.split(), "web", check=False)
    assert done.returncode == 1
    assert said in done.stderr.decode()


def test_the_hosts_network_publishes_nothing(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "web", "--network", "host", IMAGE, "sleep", "99")
    done = engine.lading("update", "--publish-add", "80:80", "web", check=False)
    assert "network mode host publishes no ports of its own" in done.stderr.decode()


def _exec(engine: Engine, script: str) -> str:
    return engine.docker("exec", "box", "sh", "-c", script).stdout.decode()


def test_a_bind_comes_and_goes_while_the_container_runs(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("given\n")
    engine.docker("run", "-d", "--name", "box", IMAGE, "sleep", "99")
    engine.lading("update", "--mount-add", f"type=bind,src={tmp_path},dst=/given,readonly", "box")
    assert _exec(engine, "cat /given/file; touch /given/x 2>/dev/null || echo kept") == "given\nkept\n"
    shown = engine.get("/containers/box/json")
    assert [(mount["Source"], mount["Destination"], mount["RW"]) for mount in shown["Mounts"]] == [
        (str(tmp_path), "/given", False)
    ]
    engine.docker("restart", "-t", "0", "box")
    assert _exec(engine, "cat /given/file") == "given\n"
    engine.lading("update", "--mount-rm", "/given", "box")
    assert _exec(engine, "ls /given") == ""
    shown = engine.get("/containers/box/json")
    assert shown["Mounts"] == []
    assert "Mounts" not in shown["HostConfig"]
    engine.docker("restart", "-t", "0", "box")
    assert _exec(engine, "ls /given") == ""


def test_a_volume_and_memory_in_a_running_container(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "box", IMAGE, "sleep", "99")
    volume = ("--mount-add", "type=volume,src=live,dst=/etc/volume")
    memory = ("--mount-add", "type=tmpfs,dst=/memory,tmpfs-size=1m")
    engine.lading("update", *volume, *memory, "box")
    assert _exec(engine, "echo x > /etc/volume/x; df -k /memory | awk 'NR==2{print $2}'") == "1024\n"
    used = engine.docker("volume", "rm", "live", check=False).stderr.decode()
    assert "volume is in use" in used
    engine.lading("update", "--mount-rm", "/etc/volume", "--mount-rm", "/memory", "box")
    assert engine.docker("run", "--rm", "-v", "live:/v", IMAGE, "cat", "/v/x").stdout == b"x\n"
    engine.docker("volume", "rm", "live")


def test_a_single_file_and_a_place_reached_through_a_link(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("given\n")
    engine.docker("run", "-d", "--name", "box", IMAGE, "sh", "-c", "mkdir /real; ln -s /real /link; sleep 99")
    wait_for(lambda: _exec(engine, "ls /link >/dev/null 2>&1 && echo made"))
    engine.lading("update", "--mount-add", f"type=bind,src={tmp_path}/file,dst=/link/deep/file", "box")
    assert _exec(engine, "cat /real/deep/file") == "given\n"


def test_mounts_of_a_container_that_does_not_run(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("given\n")
    engine.docker("create", "--name", "box", "-v", f"{tmp_path}:/old", "-v", "/etc", IMAGE, "sleep", "99")
    added = f"type=bind,src={tmp_path},dst=/new"
    engine.lading("update", "--mount-rm", "/old", "--mount-add", added, "box")
    engine.docker("start", "box")
    assert _exec(engine, "cat /new/file; ls /old/file 2>/dev/null || echo gone") == "given\ngone\n"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--mount-rm /nowhere", "no mount at /nowhere"),
        ("--mount-add type=tmpfs,dst=/taken", "Duplicate mount point: /taken"),
        ("--mount-add type=bind,src=/no/such,dst=/x", "bind source path does not exist: /no/such"),
        ("--mount-add type=tmpfs,dst=/etc/passwd", "cannot mount at /etc/passwd: "),
        ("--mount-add type=bind,src=/etc/passwd,dst=/tmp", "cannot mount at /tmp: "),
        ("--mount-add type=tmpfs,dst=/proc/x", "/proc/x cannot be mounted because it is inside /proc"),
    ],
)
def test_mounts_that_cannot_be(engine: Engine, flags: str, said: str) -> None:
    engine.docker("run", "-d", "--name", "box", "-v", "/taken", IMAGE, "sleep", "99")
    before = engine.get("/containers/box/json")
    done = engine.lading("update", *flags.split(), "box", check=False)
    assert done.returncode == 1
    assert said in done.stderr.decode()
    assert engine.get("/containers/box/json") == before


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"PublishAdd": [{}]}, 400),
        ({"PublishAdd": [{"Port": "x"}]}, 400),
        ({"PublishAdd": [{"Port": "80/tcp", "HostPort": "99999999"}]}, 400),
        ({"PublishAdd": [{"Port": "80/tcp", "HostIp": "x"}]}, 400),
        ({"PublishAdd": "80"}, 400),
        ({"PublishRemove": [{}]}, 404),
        ({"MountAdd": [{"Type": "x", "Target": "/x"}]}, 400),
        ({"MountAdd": [{"Type": "tmpfs", "Target": "rel"}]}, 400),
        ({"MountAdd": [{"Type": "tmpfs", "Target": "/" + "n" * 300}]}, 400),
        ({"MountAdd": [{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": -5}}]}, 400),
        ({"MountAdd": [{"Type": "tmpfs", "Target": "/a"}] * 2}, 409),
        ({"MountRemove": ["/"]}, 404),
        ([], 400),
    ],
)
def test_bodies_that_make_no_sense(engine: Engine, changes: object, status: int) -> None:
    _, made = engine.create(Cmd=["sleep", "99"])
    engine.api("POST", f"/containers/{made['Id']}/start")
    before = engine.get(f"/containers/{made['Id']}/json")
    answer = engine.api("POST", f"/containers/{made['Id']}/update", {"Lading": changes})
    assert answer[0] == status, answer
    assert engine.get(f"/containers/{made['Id']}/json") == before


def test_a_change_that_was_not_noted_everywhere_can_be_taken_back(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    port = _free_port()
    engine.docker("run", "-d", "--name", "web", IMAGE, "sh", "-c", SERVE)
    engine.lading("update", "--publish-add", f"{port}:80", "web")
    engine.kill()
    with contextlib.closing(sqlite3.connect(engine.data_root / "state.db")) as database, database:
        # As if the engine had ended between two notes.
        database.execute("UPDATE containers SET state = json_set(state, '$.joined.ports', json('{}'))")
    engine.start()
    assert _ports(engine, "web") == [f"80/tcp -> 0.0.0.0:{port}"]
    engine.lading("update", "--publish-rm", str(port), "web")
    assert _get(port) == b""
