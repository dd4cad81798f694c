"""What `--link` means, against docker's own words."""

import pytest

from lading.containers.links import link_env, parse_link
from lading.errors import InvalidParameter


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("db", ("db", "db")),
        ("db:data", ("db", "data")),
        ("/db:/web/data", ("/db", "data")),
        ("/db", ("/db", "db")),
    ],
)
def test_container_and_alias(text: str, found: tuple[str, str]) -> None:
    assert parse_link(text) == found


@pytest.mark.parametrize("text", ["", "a:b:c", ":b", "a:"])
def test_what_is_no_link(text: str) -> None:
    with pytest.raises(InvalidParameter):
        parse_link(text)


def test_variables_of_ports_that_follow_one_another() -> None:
    env = link_env("/web/my-db", "10.0.0.2", ["53/udp", "81/tcp", "80/tcp"], ["A=1=2", "PATH=/x", "B"])
    assert env[0] == "MY_DB_PORT=tcp://10.0.0.2:80"
    assert dict(entry.split("=", 1) for entry in env) == {
        "MY_DB_PORT": "tcp://10.0.0.2:80",
        "MY_DB_PORT_80_TCP": "tcp://10.0.0.2:80",
        "MY_DB_PORT_80_TCP_ADDR": "10.0.0.2",
        "MY_DB_PORT_80_TCP_PORT": "80",
        "MY_DB_PORT_80_TCP_PROTO": "tcp",
        "MY_DB_PORT_81_TCP": "tcp://10.0.0.2:81",
        "MY_DB_PORT_81_TCP_ADDR": "10.0.0.2",
        "MY_DB_PORT_81_TCP_PORT": "81",
        "MY_DB_PORT_81_TCP_PROTO": "tcp",
        "MY_DB_PORT_53_UDP": "udp://10.0.0.2:53",
        "MY_DB_PORT_53_UDP_ADDR": "10.0.0.2",
        "MY_DB_PORT_53_UDP_PORT": "53",
        "MY_DB_PORT_53_UDP_PROTO": "udp",
        "MY_DB_PORT_80_TCP_START": "tcp://10.0.0.2:80",
        "MY_DB_PORT_80_TCP_PORT_START": "80",
        "MY_DB_PORT_80_TCP_END": "tcp://10.0.0.2:81",
        "MY_DB_PORT_80_TCP_PORT_END": "81",
        "MY_DB_NAME": "/web/my-db",
        "MY_DB_ENV_A": "1=2",
    }
