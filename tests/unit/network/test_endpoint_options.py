"""Driver options of an endpoint."""

import pytest

from lading.errors import InvalidParameter
from lading.network.endpoint_options import interface_name, interface_sysctls

SYSCTLS, NAME = "com.docker.network.endpoint.sysctls", "com.docker.network.endpoint.ifname"


def test_settings_are_of_the_interface() -> None:
    options = {SYSCTLS: "net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.neigh.IFNAME.base=a=b", NAME: "wan.1"}
    assert interface_sysctls(options) == {
        "net.ipv4.conf.wan/1.log_martians": "1",
        "net.ipv4.neigh.wan/1.base": "a=b",
    }
    assert interface_name(options) == "wan.1"
    assert (interface_name(None), interface_sysctls(None)) == ("eth0", {})


@pytest.mark.parametrize(
    "setting",
    ["net.ipv4.ip_forward=1", "kernel.x.IFNAME.y=1", "net.ipv4.conf.IFNAME.x", "x", "net.ipv4.conf.eth0.x=1"],
)
def test_what_is_no_setting_of_an_interface(setting: str) -> None:
    with pytest.raises(InvalidParameter):
        interface_sysctls({SYSCTLS: setting})


@pytest.mark.parametrize("name", ["lo", ".", "a/b", "a b", "n" * 16])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(InvalidParameter):
        interface_name({NAME: name})
