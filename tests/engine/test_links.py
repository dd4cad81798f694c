"""Links between containers, through the docker CLI."""

import pytest
from tests.engine.engine import IMAGE, Engine


def _hosts(engine: Engine, name: str) -> list[list[str]]:
    return [
        line.split() for line in engine.docker("exec", name, "cat", "/etc/hosts").stdout.decode().splitlines()
    ]


def test_a_linked_container_is_known_by_name_and_by_variables(engine: Engine) -> None:
    engine.docker(
        "run", "-d", "--name", "db", "-h", "dbhost", "-e", "PW=x", "--expose", "80", IMAGE, "sleep", "99"
    )
    engine.docker("run", "-d", "--name", "web", "--link", "db:data", IMAGE, "sleep", "99")
    address = engine.get("/containers/db/json")["NetworkSettings"]["IPAddress"]
    assert [address, "data", "dbhost", "db"] in _hosts(engine, "web")
    env = engine.docker("exec", "web", "env").stdout.decode().splitlines()
    assert {f"DATA_PORT=tcp://{address}:80", "DATA_NAME=/web/data", "DATA_ENV_PW=x"} <= set(env)
    engine.docker("exec", "web", "ping", "-c", "1", "-w", "5", "data")
    assert engine.get("/containers/web/json")["HostConfig"]["Links"] == ["/db:/web/data"]
    assert [c["Names"] for c in engine.get("/containers/json")] == [["/web"], ["/db", "/web/data"]]
    found = engine.docker("ps", "--filter", "name=data", "--format", "{{.Names}}").stdout
    assert found.split() == [b"db"]


def test_a_linked_container_that_moves_is_found_again(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "db", IMAGE, "sleep", "99")
    engine.docker("run", "-d", "--name", "web", "--link", "db", IMAGE, "sleep", "99")
    engine.docker("stop", "-t", "0", "db")
    before = _hosts(engine, "web")
    engine.docker("run", "-d", IMAGE, "sleep", "99")
    engine.docker("start", "db")
    address = engine.get("/containers/db/json")["NetworkSettings"]["IPAddress"]
    after = _hosts(engine, "web")
    assert after != before
    assert [address, "db"] == next(line for line in after if "db" in line)[:2]


def test_a_link_can_be_taken_away(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "db", IMAGE, "sleep", "99")
    engine.docker("run", "-d", "--name", "web", "--link", "db", IMAGE, "sleep", "99")
    assert engine.docker("rm", "--link", "web/db").stdout == b"web/db\n"
    assert not any("db" in line for line in _hosts(engine, "web"))
    assert engine.get("/containers/web/json")["HostConfig"]["Links"] is None
    assert len(engine.get("/containers/json")) == 2


def test_a_container_that_shares_its_network_stands_for_it(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "db", IMAGE, "sleep", "99")
    engine.docker("run", "-d", "--name", "side", "--network", "container:db", IMAGE, "sleep", "99")
    engine.docker("run", "-d", "--name", "web", "--link", "side:it", IMAGE, "sleep", "99")
    address = engine.get("/containers/db/json")["NetworkSettings"]["IPAddress"]
    assert any(line[:2] == [address, "it"] for line in _hosts(engine, "web"))


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("nosuch:x", "could not get container for nosuch: No such container: nosuch"),
        ("hosted:x", "conflicting options: host type networking can't be used with links."),
        ("still:x", "Cannot link to a non running container: /still AS /web/x"),
    ],
)
def test_links_that_cannot_be(engine: Engine, link: str, said: str) -> None:
    engine.docker("create", "--name", "still", IMAGE)
    engine.docker("create", "--name", "hosted", "--network", "host", IMAGE)
    done = engine.docker("run", "--name", "web", "--link", link, IMAGE, check=False)
    assert done.returncode == 125
    assert said in done.stderr.decode()
