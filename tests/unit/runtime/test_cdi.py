"""Which CDI devices a request means, and what they change."""

from typing import Any

import pytest
from tests.unit.runtime.requests import request

from lading.errors import InvalidParameter
from lading.oci.cdi import Edits, Hook, read
from lading.runtime.spec import build
from lading.runtime.spec.cdi import edits_for
from lading.schema.container import DeviceRequest

CAMERA = read(
    {
        "cdiVersion": "0.6.0",
        "kind": "example.com/camera",
        "containerEdits": {"env": ["CAMERAS=yes"]},
        "devices": [
            {"name": "front", "containerEdits": {"env": ["FRONT=1"]}},
            {"name": "back", "containerEdits": {"env": ["BACK=1"]}},
        ],
    }
)
GPUS = read(
    {
        "kind": "nvidia.com/gpu",
        "devices": [{"name": name, "containerEdits": {"env": [f"GPU={name}"]}} for name in ("0", "1", "all")],
    }
)


def _env(*requests: DeviceRequest, layers: Any = ((CAMERA, GPUS),)) -> list[str]:
    return [entry for edits in edits_for(requests, layers) for entry in edits.env]


def _cdi(*names: str) -> DeviceRequest:
    return DeviceRequest(driver="cdi", device_ids=list(names))


def test_a_devices_edits_follow_those_of_its_kind_said_once() -> None:
    asked = _cdi("example.com/camera=back", "example.com/camera=front")
    assert _env(asked) == ["CAMERAS=yes", "BACK=1", "FRONT=1"]


def test_a_later_directory_counts_more_and_a_device_said_twice_is_none() -> None:
    other = read(
        {"kind": "example.com/camera", "devices": [{"name": "front", "containerEdits": {"env": ["O=1"]}}]}
    )
    assert _env(_cdi("example.com/camera=front"), layers=[[CAMERA], [other]]) == ["O=1"]
    with pytest.raises(InvalidParameter, match="unresolvable CDI devices"):
        _env(_cdi("example.com/camera=front"), layers=[[CAMERA, other]])


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (DeviceRequest(count=-1, capabilities=[["gpu"]]), ["GPU=all"]),
        (DeviceRequest(count=2, capabilities=[["gpu"]]), ["GPU=0", "GPU=1"]),
        (DeviceRequest(device_ids=["1"], capabilities=[["gpu"]], driver="nvidia"), ["GPU=1"]),
    ],
)
def test_gpus_are_devices_of_nvidias_kind(asked: DeviceRequest, found: list[str]) -> None:
    assert _env(asked) == found


@pytest.mark.parametrize(
    ("asked", "env"),
    [
        (DeviceRequest(count=-1, capabilities=[["gpu"]]), ["NVIDIA_VISIBLE_DEVICES=all"]),
        (
            DeviceRequest(count=2, capabilities=[["tpu"], ["gpu", "compute", "utility"]]),
            ["NVIDIA_VISIBLE_DEVICES=0,1", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"],
        ),
        (DeviceRequest(device_ids=["a", "b"], capabilities=[["gpu"]]), ["NVIDIA_VISIBLE_DEVICES=a,b"]),
    ],
)
def test_without_a_specification_nvidias_hook_gives_gpus(asked: DeviceRequest, env: list[str]) -> None:
    hook = Hook(hook_name="prestart", path="/hook")
    assert edits_for([asked], [[CAMERA]], hook) == [Edits(env=env, hooks=[hook])]
    assert edits_for([DeviceRequest(count=-1, capabilities=[["gpu"]])], [[GPUS]], hook) == [
        GPUS.container_edits,
        GPUS.devices[2].container_edits,
    ]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            _cdi("a.com/b=c", "nonsense"),
            "CDI device injection failed: unresolvable CDI devices a.com/b=c, nonsense",
        ),
        (DeviceRequest(driver="cdi", count=1), "unexpected count in CDI device request"),
        (DeviceRequest(driver="cdi", options={"a": "b"}), "unexpected options in CDI device request"),
        (
            DeviceRequest(capabilities=[["tpu"]]),
            'could not select device driver "" with capabilities: [[tpu]]',
        ),
    ],
)
def test_what_nobody_can_give(asked: DeviceRequest, said: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        _env(asked)
    assert caught.value.message == said


def test_what_edits_change() -> None:
    document = {
        "kind": "a.com/b",
        "containerEdits": {
            "env": ["PATH=/mine"],
            "deviceNodes": [{"path": "/dev/x", "type": "c", "major": 1, "minor": 3, "permissions": "r"}],
            "mounts": [{"hostPath": "/a", "containerPath": "/b", "options": ["ro", "rbind"]}],
            "hooks": [{"hookName": "createContainer", "path": "/bin/h", "args": ["h"], "timeout": 3}],
            "additionalGids": [44, 0],
        },
    }
    edits: list[Edits] = [read(document).container_edits]
    spec = build(request(edits=edits))
    assert spec["process"]["env"] == ["PATH=/mine"]
    assert spec["linux"]["devices"] == [{"path": "/dev/x", "type": "c", "major": 1, "minor": 3}]
    rule = {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "r"}
    assert spec["linux"]["resources"]["devices"][-1] == rule
    assert spec["mounts"][-1] == {
        "destination": "/b",
        "type": "bind",
        "source": "/a",
        "options": ["ro", "rbind"],
    }
    assert spec["hooks"] == {"createContainer": [{"path": "/bin/h", "args": ["h"], "env": [], "timeout": 3}]}
    assert spec["process"]["user"]["additionalGids"] == [0, 44]
