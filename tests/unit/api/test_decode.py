"""JSON bodies as Go reads them."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.api.decode import decode
from lading.errors import InvalidParameter
from lading.schema.container import CreateBody, ExecStartBody


def _create(**keys: object) -> CreateBody:
    return decode(json.dumps(keys).encode(), CreateBody)


def test_keys_are_found_whatever_their_case() -> None:
    body = _create(
        IMAGE="starter",
        cmd=["ls"],
        hostconfig={
            "networkmode": "none",
            "UtsMode": "host",
            "PORTBINDINGS": {"80/tcp": [{"hostport": "8080"}]},
        },
        NetworkingConfig={"EndpointsConfig": {"Net": {"ipamconfig": {"IPV4ADDRESS": "10.0.0.2"}}}},
    )
    assert (body.image, body.cmd) == ("starter", ["ls"])
    assert body.host_config is not None
    assert (body.host_config.network_mode, body.host_config.uts_mode) == ("none", "host")
    assert body.host_config.port_bindings is not None
    bindings = body.host_config.port_bindings["80/tcp"]
    assert bindings is not None
    assert bindings[0].host_port == "8080"
    assert body.networking_config is not None
    assert body.networking_config.endpoints_config is not None
    endpoint = body.networking_config.endpoints_config["Net"]
    assert endpoint is not None
    assert endpoint.ipam_config is not None
    assert endpoint.ipam_config.ipv4_address == "10.0.0.2"


def test_the_keys_of_maps_keep_their_case() -> None:
    assert _create(Labels={"Image": "a", "image": "b"}).labels == {"Image": "a", "image": "b"}


def test_null_is_as_good_as_absent() -> None:
    body = _create(
        Image=None, Tty=None, Cmd=None, StopTimeout=None, HostConfig={"Memory": None, "LogConfig": None}
    )
    assert body == _create(HostConfig={})
    assert decode(b"null", ExecStartBody) == ExecStartBody()


def test_null_inside_lists_and_maps_is_empty() -> None:
    body = _create(
        Env=["A=b", None],
        Labels={"x": None},
        ExposedPorts={"80/tcp": None},
        HostConfig={"PortBindings": {"80/tcp": None}},
    )
    assert (body.env, body.labels, body.exposed_ports) == (["A=b", ""], {"x": ""}, {"80/tcp": {}})
    assert body.host_config is not None
    assert body.host_config.port_bindings == {"80/tcp": None}


def test_a_command_may_be_one_string() -> None:
    assert _create(Cmd="ls -l", Entrypoint=["sh", "-c"]).cmd == "ls -l"


def test_unknown_keys_are_passed_over() -> None:
    assert _create(Image="x", Later={"a": [1, None]}, HostConfig={"Newer": 1}).image == "x"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'{"Image": 3}', "$.Image"),
        (b'{"HostConfig": {"Memory": "1g"}}', "$.HostConfig.Memory"),
        (b'{"hostconfig": {"binds": "a:b"}}', "$.HostConfig.Binds"),
        (b'{"Env": ["A=b", 7]}', "$.Env[1]"),
        (b'{"HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": 80}]}}}', "HostPort"),
        (b'{"Tty": "true"}', "$.Tty"),
        (b'{"HostConfig": []}', "$.HostConfig"),
        (b"[]", "object"),
        (b"{", "invalid JSON"),
        (b'{"Image": "x"} {"Image": "y"}', "invalid JSON"),
        (b'{"Image": "\xff"}', "invalid JSON"),
        (b"[" * 100_000, "invalid JSON"),
        (b'{"Image": "\\ud800"}', "invalid JSON"),
        (b'{"HostConfig": {"Memory": 99999999999999999999999}}', "64 bits"),
        (b'{"HostConfig": {"Memory": 9223372036854775808}}', "64 bits"),
    ],
)
def test_what_is_wrong_is_named(text: bytes, told: str) -> None:
    with pytest.raises(InvalidParameter) as raised:
        decode(text, CreateBody)
    assert raised.value.message.startswith("invalid JSON: ")
    assert told in raised.value.message


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Image", "hostconfig", "Env", "Mounts", "Labels", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(_json)
def test_anything_is_taken_or_refused(value: object) -> None:
    try:
        body = decode(json.dumps(value).encode(), CreateBody)
    except InvalidParameter:
        return
    assert decode(msgspec.json.encode(body), CreateBody) == body
