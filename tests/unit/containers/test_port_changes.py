"""What a container publishes after ports came and went."""

import pytest

from lading.containers.port_changes import Published, asked, bindings_of, matching, with_fewer
from lading.errors import InvalidParameter, NotFound
from lading.schema.container import HostConfig, PortBinding, PublishedPort

HERE = [
    Published("80/tcp", "0.0.0.0", "8080"),
    Published("80/tcp", "127.0.0.1", "8081"),
    Published("53/udp", "0.0.0.0", "8080"),
]


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        (PublishedPort(host_port="8080"), [HERE[0], HERE[2]]),
        (PublishedPort(host_port="8080", protocol="udp"), [HERE[2]]),
        (PublishedPort(port="80"), HERE[:2]),
        (PublishedPort(port="80/tcp", host_ip="127.0.0.1"), [HERE[1]]),
    ],
)
def test_which_ports_are_meant(wish: PublishedPort, found: list[Published]) -> None:
    assert matching(HERE, [wish]) == found


@pytest.mark.parametrize(
    "wish", [PublishedPort(host_port="9"), PublishedPort(), PublishedPort(port="80/udp")]
)
def test_ports_nobody_published(wish: PublishedPort) -> None:
    with pytest.raises(NotFound):
        matching(HERE, [wish])


def test_a_port_needs_a_number() -> None:
    with pytest.raises(InvalidParameter):
        bindings_of([PublishedPort(host_port="80")])


def test_the_binding_that_led_to_a_port_goes_with_it() -> None:
    bindings = [PortBinding(host_port="8080"), PortBinding(), PortBinding(host_port="9000-9010")]
    host = HostConfig(port_bindings={"80/tcp": list(bindings)})
    running = [Published("80/tcp", "0.0.0.0", port) for port in ("8080", "49153", "9003")]
    for gone, left in ((0, bindings[1:]), (1, [bindings[0], bindings[2]]), (2, bindings[:2])):
        assert with_fewer(host, running, [running[gone]]) == {"80/tcp": left}


def test_where_all_ports_were_published_the_others_stay() -> None:
    host = HostConfig(publish_all_ports=True)
    running = [Published("80/tcp", "0.0.0.0", "49153"), Published("81/tcp", "0.0.0.0", "49154")]
    assert with_fewer(host, running, running[:1]) == {"81/tcp": [PortBinding()]}


def test_what_is_asked_for_before_anything_runs() -> None:
    host = HostConfig(port_bindings={"80/tcp": [PortBinding(host_port="8080")]})
    assert matching(asked(host), [PublishedPort(host_port="8080")]) == [HERE[0]]
