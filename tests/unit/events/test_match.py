"""Which events pass docker's filters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.events import FILTERS, Message, matches
from lading.filters import Filters


def message(
    kind: str = "container", action: str = "start", actor: str = "abcdef12", **attributes: str
) -> Message:
    return Message(kind, action, actor, attributes, "local", 1_700_000_000_123_456_789)


@pytest.mark.parametrize(
    ("filters", "news", "passes"),
    [
        ({"type": ["container"]}, message(), True),
        ({"type": ["image", "container"]}, message(), True),
        ({"type": ["cont"]}, message(), False),
        ({"event": ["start"]}, message(), True),
        ({"event": ["st"]}, message(), False),
        ({"action": ["die"]}, message(), False),
        ({"event": ["exec_create"]}, message(action="exec_create: ls -l"), True),
        ({"event": ["exec_create: ls -l"]}, message(action="exec_create: ls -l"), True),
        ({"event": ["exec_create: ls"]}, message(action="exec_create: ls -l"), False),
        ({"event": ["health_status"]}, message(action="health_status: healthy"), True),
        ({"event": ["health_status: healthy"]}, message(action="health_status: unhealthy"), False),
        ({"event": ["die", "health_status"]}, message(action="health_status: healthy"), True),
        ({"container": ["abc"]}, message(), True),
        ({"container": ["web"]}, message(name="web-1"), True),
        ({"container": ["bc"]}, message(name="web-1"), False),
        ({"volume": ["data"]}, message("volume", "create", "data"), True),
        ({"network": ["net"]}, message("network", "create", "0123", name="net"), True),
        ({"image": ["busybox"]}, message(image="busybox:1.36"), True),
        ({"image": ["busybox:1.36"]}, message(image="busybox:1.36"), True),
        ({"image": ["busybox:1"]}, message(image="busybox:1.36"), False),
        ({"image": ["alpine"]}, message("image", "pull", "docker.io/library/alpine:3"), True),
        (
            {"image": ["localhost:5000/x"]},
            message("image", "tag", "sha256:1", name="localhost:5000/x:2"),
            True,
        ),
        ({"label": ["tier=db"]}, message(tier="db"), True),
        ({"label": ["tier"]}, message(tier="web"), True),
        ({"label": ["tier=db", "zone"]}, message(tier="db"), False),
        ({"scope": ["swarm"]}, message(), False),
        ({"type": ["container"], "event": ["die"]}, message(), False),
    ],
)
def test_filters(filters: dict[str, list[str]], news: Message, passes: bool) -> None:
    assert matches(news, Filters(filters)) is passes


@given(st.sampled_from(sorted(FILTERS)))
def test_a_filter_without_values_lets_everything_pass(key: str) -> None:
    assert matches(message(), Filters({key: []}))


def test_containers_show_the_keys_old_clients_read() -> None:
    view = message(image="busybox", name="web").view()
    assert view == {
        "status": "start",
        "id": "abcdef12",
        "from": "busybox",
        "Type": "container",
        "Action": "start",
        "Actor": {"ID": "abcdef12", "Attributes": {"image": "busybox", "name": "web"}},
        "scope": "local",
        "time": 1_700_000_000,
        "timeNano": 1_700_000_000_123_456_789,
    }


def test_images_have_no_origin_and_networks_no_old_keys() -> None:
    assert set(message("image").view()) >= {"status", "id"}
    assert "from" not in message("image", image="x").view()
    assert not {"status", "id", "from"} & set(message("network").view())
