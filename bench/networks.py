"""How long it takes to make networks, and to put containers on them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench import image
from bench.api import Client

PORTS = 10
_NETWORK, _CONTAINER = "bench-net", "bench-member"


def change(client: Client) -> None:
    """Makes a network and removes it."""
    client.call("POST", "/networks/create", {"Name": "bench-changed"})
    client.call("DELETE", "/networks/bench-changed")


@contextmanager
def joining(client: Client) -> Iterator[Callable[[], None]]:
    """What connects a running container to a second network, and takes it off."""
    client.call("POST", "/networks/create", {"Name": _NETWORK})
    wish = {"Image": image.NAME, "Cmd": ["sleep", "86400"]}
    client.call("POST", f"/containers/create?name={_CONTAINER}", wish)
    client.call("POST", f"/containers/{_CONTAINER}/start")

    def join() -> None:
        client.call("POST", f"/networks/{_NETWORK}/connect", {"Container": _CONTAINER})
        client.call("POST", f"/networks/{_NETWORK}/disconnect", {"Container": _CONTAINER})

    try:
        yield join
    finally:
        client.call("DELETE", f"/containers/{_CONTAINER}?force=1")
        client.call("DELETE", f"/networks/{_NETWORK}")


@contextmanager
def publishing(client: Client) -> Iterator[Callable[[], None]]:
    """What runs `true` on a user-defined network with ten ports published, and removes it."""
    client.call("POST", "/networks/create", {"Name": _NETWORK})
    ports = {f"{8000 + number}/tcp": [{"HostPort": ""}] for number in range(PORTS)}
    wish = {
        "Image": image.NAME,
        "Cmd": ["true"],
        "ExposedPorts": {port: {} for port in ports},
        "HostConfig": {"NetworkMode": _NETWORK, "PortBindings": ports},
    }

    def run() -> None:
        container = client.json("POST", "/containers/create", wish)["Id"]
        client.call("POST", f"/containers/{container}/start")
        client.json("POST", f"/containers/{container}/wait")
        client.call("DELETE", f"/containers/{container}")

    try:
        yield run
    finally:
        client.call("DELETE", f"/networks/{_NETWORK}")
