"""What the client asked for over what the image says."""

import pytest

from lading.containers.merge import merge, merge_env, process_args
from lading.errors import InvalidParameter
from lading.oci.image import ImageConfig
from lading.schema.container import CreateBody

IMAGE = ImageConfig(
    cmd=["serve"],
    entrypoint=["/entry"],
    env=["PATH=/bin", "MODE=image"],
    exposed_ports={"80/tcp": {}},
    volumes={"/data": {}},
    labels={"a": "image", "b": "image"},
    user="app",
    working_dir="/srv",
    stop_signal="SIGQUIT",
)


def test_an_image_alone_decides_everything() -> None:
    config = merge(CreateBody(image="x"), IMAGE)
    assert process_args(config) == ["/entry", "serve"]
    assert (config.user, config.working_dir, config.stop_signal) == ("app", "/srv", "SIGQUIT")


def test_a_command_keeps_the_entrypoint_and_an_entrypoint_drops_the_command() -> None:
    assert process_args(merge(CreateBody(cmd=["other"]), IMAGE)) == ["/entry", "other"]
    assert process_args(merge(CreateBody(entrypoint=["/mine"]), IMAGE)) == ["/mine"]
    assert process_args(merge(CreateBody(entrypoint="/mine", cmd="x"), IMAGE)) == ["/mine", "x"]


def test_an_empty_entrypoint_resets_the_image_s() -> None:
    assert process_args(merge(CreateBody(entrypoint=[""], cmd=["sh"]), IMAGE)) == ["sh"]
    with pytest.raises(InvalidParameter, match="no command specified"):
        merge(CreateBody(entrypoint=[""]), IMAGE)


def test_maps_are_united_and_the_client_wins() -> None:
    config = merge(
        CreateBody(
            env=["MODE=client"], labels={"a": "client"}, exposed_ports={"5/udp": {}}, volumes={"/v": {}}
        ),
        IMAGE,
    )
    assert config.env == ["MODE=client", "PATH=/bin"]
    assert config.labels == {"a": "client", "b": "image"}
    assert set(config.exposed_ports or {}) == {"80/tcp", "5/udp"}
    assert set(config.volumes or {}) == {"/data", "/v"}


def test_a_variable_without_value_still_hides_the_image_s() -> None:
    assert merge_env(["MODE"], ["MODE=image"]) == ["MODE"]
