"""Worlds for the tests of this room."""

from collections.abc import Iterator

import pytest
from tests.network.world import World

from lading.linux import namespaces


@pytest.fixture
def world() -> Iterator[World]:
    """A host and its neighbour."""
    made = World()
    yield made
    made.close()


@pytest.fixture(params=[False, True], ids=["bridge-not-filtered", "bridge-filtered"])
def either_world(request: pytest.FixtureRequest) -> Iterator[World]:
    """The same on a host whose bridged packets pass the firewall, as beside dockerd, and on one where not."""
    try:
        namespaces.read_sysctl("net.bridge.bridge-nf-call-iptables")
    except FileNotFoundError:
        if request.param:
            pytest.skip("this kernel has no bridge netfilter")
        made = World()
    else:
        made = World(bridge_is_filtered=request.param)
    yield made
    made.close()
