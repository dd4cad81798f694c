"""Mount options for the OCI runtime."""

import msgspec
import pytest

from lading.errors import InvalidParameter
from lading.schema.container import Mount
from lading.volumes import MountPoint
from lading.volumes.oci_mounts import oci_mount, tmpfs_mounts
from lading.volumes.parse import parse_bind, parse_mount


def options(point: MountPoint, *, can_force: bool = True) -> list[str]:
    mount = oci_mount(point, point.source, can_force=can_force)
    found: list[str] = mount["options"]
    return found


@pytest.mark.parametrize(
    ("bind", "expected"),
    [
        ("/a:/b", ["rbind", "rprivate"]),
        ("/a:/b:ro", ["rbind", "rro", "rprivate"]),
        ("/a:/b:ro-non-recursive,shared", ["rbind", "ro", "shared"]),
        ("/a:/b:rro", ["rbind", "rro", "rprivate"]),
    ],
)
def test_binds(bind: str, expected: list[str]) -> None:
    assert options(parse_bind(bind)) == expected


def test_an_old_kernel_makes_read_only_what_it_can() -> None:
    assert options(parse_bind("/a:/b:ro"), can_force=False) == ["rbind", "ro", "rprivate"]
    with pytest.raises(InvalidParameter, match=r"5\.12"):
        options(parse_bind("/a:/b:rro"), can_force=False)


def test_a_bind_that_is_not_recursive() -> None:
    asked = {
        "Type": "bind",
        "Source": "/a",
        "Target": "/b",
        "ReadOnly": True,
        "BindOptions": {"NonRecursive": True},
    }
    assert options(parse_mount(msgspec.convert(asked, Mount))) == ["bind", "ro", "rprivate"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", ["noexec", "nosuid", "nodev", "rprivate"]),
        ("exec,size=64k", ["nosuid", "nodev", "rprivate", "exec", "size=64k"]),
        (
            "size=1m,size=2m,mode=1777,defaults",
            ["noexec", "nosuid", "nodev", "rprivate", "size=2m", "mode=1777"],
        ),
    ],
)
def test_options_of_tmpfs(asked: str, expected: list[str]) -> None:
    assert tmpfs_mounts({"/run": asked}) == [
        {"destination": "/run", "type": "tmpfs", "source": "tmpfs", "options": expected}
    ]


@pytest.mark.parametrize("asked", ["bogus", "lowerdir=/etc", "size"])
def test_bad_options_of_tmpfs(asked: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid tmpfs option"):
        tmpfs_mounts({"/run": asked})


def test_tmpfs_by_mount() -> None:
    asked = {
        "Type": "tmpfs",
        "Target": "/t",
        "ReadOnly": True,
        "TmpfsOptions": {"SizeBytes": 1048576, "Mode": 0o700, "Options": [["exec"]]},
    }
    assert options(parse_mount(msgspec.convert(asked, Mount))) == [
        "nosuid",
        "nodev",
        "rprivate",
        "ro",
        "mode=700",
        "size=1048576",
        "exec",
    ]
