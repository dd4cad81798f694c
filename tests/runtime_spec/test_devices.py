"""Devices of this machine, as containers ask for them."""

from pathlib import Path

import pytest

from lading.errors import InvalidParameter
from lading.runtime import block_devices_of, devices_of
from lading.schema.container import DeviceMapping, HostConfig, ThrottleDevice, WeightDevice


def _wish(path: str, inside: str = "", access: str = "") -> HostConfig:
    mapping = DeviceMapping(path_on_host=path, path_in_container=inside, cgroup_permissions=access)
    return HostConfig(devices=[mapping])


def test_a_device_under_another_name() -> None:
    (node,) = devices_of(_wish("/dev/null", "/dev/nothing", "r"))
    assert (node.path, node.kind, node.major, node.minor, node.access) == ("/dev/nothing", "c", 1, 3, "r")
    (same,) = devices_of(_wish("/dev/null"))
    assert (same.path, same.access) == ("/dev/null", "rwm")


def test_a_link_to_a_device(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/zero")
    (node,) = devices_of(_wish(str(tmp_path / "link"), "/dev/z"))
    assert (node.path, node.major, node.minor) == ("/dev/z", 1, 5)


def test_a_directory_of_devices() -> None:
    nodes = devices_of(_wish("/dev/net", "/dev/mine"))
    assert [node.path for node in nodes if node.path == "/dev/mine/tun"] == ["/dev/mine/tun"]


def test_all_devices_of_a_privileged_container_and_one_more_name() -> None:
    host = _wish("/dev/loop-control", "/dev/looper")
    host.privileged = True
    paths = [node.path for node in devices_of(host)]
    assert {"/dev/loop-control", "/dev/looper"} <= set(paths)
    assert len(paths) == len(set(paths))
    assert not any(path.startswith(("/dev/pts/", "/dev/shm/", "/dev/fd/")) for path in paths)


@pytest.mark.parametrize(
    ("path", "reason"), [("/dev/no-such", "no such file or directory"), ("/etc/passwd", "not a device node")]
)
def test_what_is_no_device(path: str, reason: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        devices_of(_wish(path))
    assert caught.value.message == (
        f'error gathering device information while adding custom device "{path}": {reason}'
    )


def test_numbers_of_block_devices() -> None:
    path = next(str(path) for path in Path("/dev").iterdir() if path.is_block_device())
    limits = HostConfig(
        blkio_weight_device=[WeightDevice(path=path, weight=10)],
        blkio_device_write_bps=[ThrottleDevice(path=path, rate=1)],
    )
    number = Path(f"/sys/class/block/{Path(path).name}/dev").read_text().strip()
    assert {":".join(map(str, pair)) for pair in block_devices_of(limits).values()} == {number}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/dev/no-such", "stat /dev/no-such: no such file or directory"),
        ("/dev/null", "is not a block device"),
    ],
)
def test_what_is_no_block_device(path: str, message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        block_devices_of(HostConfig(blkio_device_read_bps=[ThrottleDevice(path=path, rate=1)]))
