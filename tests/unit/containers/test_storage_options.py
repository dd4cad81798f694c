"""The `--storage-opt` values."""

import pytest

from lading.containers.storage_options import layer_limit
from lading.errors import InvalidParameter, Unsupported
from lading.schema.container import HostConfig


def test_sizes() -> None:
    assert layer_limit(HostConfig(), can_limit=False) == 0
    assert layer_limit(HostConfig(storage_opt={"size": "1g"}), can_limit=True) == 1 << 30
    assert layer_limit(HostConfig(storage_opt={"Size": "10"}), can_limit=True) == 10


@pytest.mark.parametrize(
    ("options", "can_limit", "kind"),
    [
        ({"size": "much"}, True, InvalidParameter),
        ({"speed": "1"}, True, InvalidParameter),
        ({"size": "1g"}, False, Unsupported),
    ],
)
def test_what_cannot_be(options: dict[str, str], can_limit: bool, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        layer_limit(HostConfig(storage_opt=options), can_limit=can_limit)
