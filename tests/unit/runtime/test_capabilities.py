"""Which capabilities are granted."""

import pytest

from lading.errors import InvalidParameter
from lading.runtime.spec.capabilities import ALL, DEFAULT, check_capabilities, from_mask, granted


def _granted(
    add: list[str] | None = None, drop: list[str] | None = None, *, privileged: bool = False
) -> set[str]:
    return set(granted(add, drop, privileged=privileged, known=ALL))


def test_fourteen_by_default() -> None:
    assert _granted() == DEFAULT
    assert len(DEFAULT) == 14


def test_names_come_with_and_without_prefix_in_any_case() -> None:
    assert _granted(["sys_admin", "CAP_NET_ADMIN"]) - DEFAULT == {"CAP_SYS_ADMIN", "CAP_NET_ADMIN"}
    assert DEFAULT - _granted(drop=["Chown", "cap_kill"]) == {"CAP_CHOWN", "CAP_KILL"}


def test_all_is_added_or_dropped_before_the_others() -> None:
    assert _granted(["ALL"], ["SYS_ADMIN"]) == set(ALL) - {"CAP_SYS_ADMIN"}
    assert _granted(["CHOWN"], ["ALL"]) == {"CAP_CHOWN"}
    assert _granted(["ALL"], ["ALL"]) == set(ALL)


def test_what_the_engine_lacks_it_cannot_grant() -> None:
    known = set(ALL) - {"CAP_CHOWN", "CAP_SYS_ADMIN"}
    assert set(granted(["SYS_ADMIN"], None, privileged=False, known=known)) == DEFAULT - {"CAP_CHOWN"}
    assert set(granted(None, None, privileged=True, known=known)) == known


def test_the_kernels_bits_are_named() -> None:
    assert from_mask(0x00000000A80425FB) == DEFAULT
    assert from_mask((1 << 41) - 1) == set(ALL)


@pytest.mark.parametrize(
    ("add", "drop", "message"),
    [
        (["flying"], [], 'invalid CapAdd: unknown capability: "CAP_FLYING"'),
        ([], ["cap_flying"], 'invalid CapDrop: unknown capability: "CAP_FLYING"'),
        (["BPF"], [], "invalid CapAdd: capability not supported by your kernel"),
    ],
)
def test_capabilities_that_cannot_be(add: list[str], drop: list[str], message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        check_capabilities(add, drop, set(ALL) - {"CAP_BPF"})


def test_dropping_what_is_not_there_anyway_is_fine() -> None:
    check_capabilities(None, ["BPF", "ALL"], DEFAULT)
