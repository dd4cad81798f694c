"""The options of the local driver: what is refused, and which mount they mean."""

import pytest

from lading.errors import InvalidParameter
from lading.volumes import local_options
from lading.volumes.local_options import LocalMount, local_mount


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"foo": "1"}, 'invalid option: "foo"'),
        ({"type": "nfs"}, 'missing required option: "device"'),
        ({"device": "/srv"}, 'missing required option: "type"'),
        ({"o": "bind", "device": "/srv"}, 'missing required option: "type"'),
        ({"size": "10x"}, "invalid size: '10x'"),
        ({"size": "1g"}, "quota size requested but no quota support"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        local_options.check(options)
    assert refusal.value.message == said


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (
            {"type": "none", "device": "/srv", "o": "bind,ro"},
            LocalMount("/srv", "none", 0x1001),
        ),
        (
            {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=7,noexec"},
            LocalMount("tmpfs", "tmpfs", 0x8, "size=1m,uid=7"),
        ),
        (
            {"type": "none", "device": "/srv", "o": "rbind,ro,rw,rshared"},
            LocalMount("/srv", "none", 0x5000, "", 0x104000),
        ),
        (
            {"type": "nfs", "device": ":/x", "o": "addr=10.0.0.1,nolock,defaults"},
            LocalMount(":/x", "nfs", 0, "addr=10.0.0.1,nolock"),
        ),
    ],
)
def test_words_become_one_mount(options: dict[str, str], wanted: LocalMount) -> None:
    assert local_mount(options) == wanted


def test_only_network_file_systems_have_a_server_to_be_looked_up() -> None:
    nfs = {"type": "nfs", "device": ":/x", "o": "addr=files.example,rw"}
    assert local_options.host_to_resolve(local_mount(nfs)) == "files.example"
    assert local_options.host_to_resolve(local_mount({**nfs, "type": "tmpfs"})) == ""


def test_passwords_are_not_shown() -> None:
    options = {"o": "user=me,password=secret"}
    assert local_options.without_password("data: password=secret", options) == "data: password=********"
