"""Published ports as users meet them: `docker run -p`, from everywhere, taken, freed, after a restart."""

import socket
import subprocess
import sys
from collections.abc import Callable

import pytest
from tests.engine.engine import IMAGE, Engine, wait_for

ECHO = "nc -ll -p 80 -e cat"
OTHER = "127.0.0.2"
# The starter image's tools know no datagrams: this runs beside the container, on its network.
DATAGRAM_SERVER = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 53))
while True:
    data, client = server.recvfrom(100)
    server.sendto(b"got " + data, client)
"""


def _free_port(kind: socket.SocketKind = socket.SOCK_STREAM, count: int = 1) -> int:
    """The first of `count` ports in a row that nobody has, below those given at random."""
    for first in range(20000, 32000, count):
        sockets = [socket.socket(socket.AF_INET, kind) for _ in range(count)]
        try:
            for offset, probe in enumerate(sockets):
                probe.bind(("0.0.0.0", first + offset))
            return first
        except OSError:
            continue
        finally:
            for probe in sockets:
                probe.close()
    raise AssertionError("there is no free port")


def _echo(engine: Engine, name: str, *flags: str) -> None:
    engine.docker("run", "-d", "--name", name, *flags, IMAGE, "sh", "-c", ECHO)


def _says(host: str, port: int) -> bytes:
    """What comes back; an address that nobody serves gives nothing."""
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            connection.sendall(b"echo")
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(100)
    except OSError:
        return b""


def _reaches(host: str, port: int) -> bool:
    return bool(wait_for(lambda: _says(host, port) == b"echo", 5))


def _refused(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def _port(engine: Engine, name: str, inside: str = "80") -> int:
    return int(engine.docker("port", name, inside).stdout.decode().splitlines()[0].rsplit(":", 1)[1])


@pytest.fixture
def host_address(engine: Engine) -> str:
    """An address of this host that is not loopback."""
    return f"{engine.subnet}.1"


def test_a_port_is_reached_from_everywhere(engine: Engine, host_address: str) -> None:
    port = _free_port()
    _echo(engine, "srv", "-p", f"{port}:80")
    assert engine.docker("port", "srv").stdout.decode() == f"80/tcp -> 0.0.0.0:{port}\n"
    for host in ("127.0.0.1", "localhost", OTHER, host_address):
        assert _reaches(host, port), host
    for flags in ([], ["--network", "host"], ["--network", "container:srv"]):
        said = engine.docker(
            "run", "--rm", "-i", *flags, IMAGE, "nc", host_address, str(port), input=b"from inside"
        )
        assert said.stdout == b"from inside", flags
    assert f"0.0.0.0:{port}->80/tcp" in engine.docker("ps").stdout.decode()


def test_loopback_alone(engine: Engine, host_address: str) -> None:
    port = _free_port()
    _echo(engine, "srv", "-p", f"127.0.0.1:{port}:80")
    assert engine.docker("port", "srv", "80/tcp").stdout.decode() == f"127.0.0.1:{port}\n"
    assert _reaches("127.0.0.1", port)
    assert _refused(host_address, port)
    assert _refused(OTHER, port)


def test_one_address_alone(engine: Engine, host_address: str) -> None:
    port = _free_port()
    _echo(engine, "srv", "-p", f"{host_address}:{port}:80")
    assert _reaches(host_address, port)
    assert _refused("127.0.0.1", port)


def test_datagrams(engine: Engine, host_address: str) -> None:
    port = _free_port(socket.SOCK_DGRAM)
    engine.docker("run", "-d", "--name", "dns", "-p", f"{port}:53/udp", IMAGE, "sleep", "1000")
    pid = engine.get("/containers/dns/json")["State"]["Pid"]
    assert engine.docker("port", "dns", "53/udp").stdout.decode() == f"0.0.0.0:{port}\n"

    def answered(host: str) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.3)
            client.connect((host, port))
            try:
                client.send(b"it\n")
                return client.recv(100) == b"got it\n"
            except OSError:
                return False

    inside = subprocess.Popen(["nsenter", "-t", str(pid), "-n", sys.executable, "-c", DATAGRAM_SERVER])
    try:
        for host in ("127.0.0.1", host_address):
            assert wait_for(lambda at=host: answered(at)), host
    finally:
        inside.kill()
        inside.wait()


def test_ranges(engine: Engine) -> None:
    first = _free_port(count=4)
    _echo(engine, "many", "-p", f"{first}-{first + 2}:80-82")
    assert sorted(engine.docker("port", "many").stdout.decode().splitlines()) == [
        f"{80 + offset}/tcp -> 0.0.0.0:{first + offset}" for offset in range(3)
    ]
    assert _reaches("127.0.0.1", first)
    _echo(engine, "any", "-p", f"{first}-{first + 3}:80")
    assert _port(engine, "any") == first + 3
    assert _reaches("127.0.0.1", first + 3)
    third = engine.docker("run", "-p", f"{first}-{first + 3}:80", IMAGE, check=False)
    assert third.returncode == 125
    assert b"all ports are allocated" in third.stderr


def test_ports_at_random(engine: Engine) -> None:
    _echo(engine, "one", "-p", "80")
    _echo(engine, "all", "-P", "--expose", "80", "--expose", "90/udp")
    one, other = _port(engine, "one"), _port(engine, "all")
    assert one != other
    assert _reaches("127.0.0.1", one)
    assert _reaches("127.0.0.1", other)
    assert _port(engine, "all", "90/udp") > 0


def test_a_port_of_another_program(engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = engine.docker("run", "--name", "late", "-p", f"{port}:80", IMAGE, "true", check=False)
        assert refused.returncode == 125
        said = refused.stderr.decode()
        assert "driver failed programming external connectivity on endpoint late" in said
        assert f"failed to bind host port for 0.0.0.0:{port}" in said
        assert "address already in use" in said
        state = engine.get("/containers/late/json")["State"]
        assert (state["Status"], state["ExitCode"]) == ("created", 128)
        assert "address already in use" in state["Error"]
        assert engine.api("POST", "/containers/late/start")[0] == 500
    engine.docker("start", "late")


def test_a_port_of_another_container(engine: Engine) -> None:
    port = _free_port()
    _echo(engine, "srv", "-p", f"{port}:80")
    refused = engine.docker("run", "--name", "late", "-p", f"{port}:80", IMAGE, "true", check=False)
    assert refused.returncode == 125
    assert f"Bind for 0.0.0.0:{port} failed: port is already allocated" in refused.stderr.decode()
    engine.docker("stop", "-t", "0", "srv")
    assert engine.docker("port", "srv").stdout == b""
    assert _refused("127.0.0.1", port)
    engine.docker("start", "late")
    engine.docker("rm", "-f", "late")
    engine.docker("start", "srv")
    assert _reaches("127.0.0.1", port)


def test_another_program_gets_the_port_once_it_is_free(engine: Engine) -> None:
    port = _free_port()
    _echo(engine, "srv", "-p", f"{port}:80")
    with pytest.raises(OSError, match="in use"):
        socket.create_server(("0.0.0.0", port))
    engine.docker("rm", "-f", "srv")
    socket.create_server(("0.0.0.0", port)).close()


def test_ports_survive_the_engine(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    port = _free_port()
    _echo(engine, "srv", "-p", f"{port}:80")
    assert _reaches("127.0.0.1", port)
    kept = socket.create_connection(("127.0.0.1", port), timeout=5)
    engine.kill()
    assert _reaches("127.0.0.1", port)
    engine.start()
    assert _port(engine, "srv") == port
    assert _reaches("127.0.0.1", port)
    kept.sendall(b"still here")
    assert kept.recv(100) == b"still here"
    kept.close()
    refused = engine.docker("run", "--rm", "-p", f"{port}:80", IMAGE, "true", check=False)
    assert b"port is already allocated" in refused.stderr
    engine.docker("rm", "-f", "srv")
    assert _refused("127.0.0.1", port)


@pytest.mark.parametrize(
    "binding",
    [
        {"80/tcp": [{"HostPort": "70000"}]},
        {"80/tcp": [{"HostPort": "x"}]},
        {"80/tcp": [{"HostIp": "1.2.3", "HostPort": "8080"}]},
        {"80/icmp": [{"HostPort": "8080"}]},
        {"0/tcp": [{"HostPort": "8080"}]},
    ],
)
def test_bad_bindings_are_told_at_once(engine: Engine, binding: object) -> None:
    status, answer = engine.create(HostConfig={"PortBindings": binding})
    assert status == 400, answer
    assert "invalid" in answer["message"]
