"""What a pull decides before it fetches layers, and what it says."""

import json

import pytest

from lading.distribution import Fetched
from lading.errors import InvalidParameter
from lading.images import pull_plan
from lading.images.machine import level
from lading.images.pull_progress import progress_bar, update
from lading.oci.image import DOCKER_INDEX, INDEX, MANIFEST, Platform

HOST = Platform("amd64", "linux", "v3")


@pytest.mark.parametrize(
    ("name", "tag", "meant"),
    [
        ("busybox", "latest", "docker.io/library/busybox:latest"),
        ("busybox", "", "docker.io/library/busybox"),
        ("busybox:", "", "docker.io/library/busybox"),
        ("busybox:1.36", "", "docker.io/library/busybox:1.36"),
        ("busybox:1.36", "1.37", "docker.io/library/busybox:1.37"),
        ("r.test:5000/a/b", f"sha256:{'a' * 64}", f"r.test:5000/a/b@sha256:{'a' * 64}"),
    ],
)
def test_names(name: str, tag: str, meant: str) -> None:
    assert str(pull_plan.wanted_reference(name, tag)) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("linux/arm64", Platform("arm64", "linux")),
        ("linux/arm64/v8", Platform("arm64", "linux")),
        ("linux/arm", Platform("arm", "linux", "v7")),
        ("Linux/x86_64", Platform("amd64", "linux")),
        ("s390x", Platform("s390x", "linux")),
        ("linux", HOST),
        ("windows/amd64", Platform("amd64", "windows")),
    ],
)
def test_platforms(text: str, meant: Platform) -> None:
    assert pull_plan.parse_platform(text, HOST) == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", '"nonsense": unknown operating system or architecture: invalid argument'),
        ("linux/*", "wildcards not yet supported"),
        ("linux//v8", "is an invalid component of"),
        ("linux/arm/v7/more", '"linux/arm/v7/more": cannot parse platform specifier: invalid argument'),
    ],
)
def test_platforms_that_are_none(text: str, said: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        pull_plan.parse_platform(text, HOST)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("media_type", "document", "listing"),
    [
        (INDEX, {}, True),
        (f"{DOCKER_INDEX}; charset=utf-8", {}, True),
        (MANIFEST, {}, False),
        ("application/json", {"mediaType": INDEX}, True),
        ("", {"manifests": []}, True),
        ("text/plain", {"config": {}, "layers": []}, False),
    ],
)
def test_what_a_document_is(media_type: str, document: dict[str, object], listing: bool) -> None:
    fetched = Fetched(media_type, "", json.dumps(document).encode())
    assert pull_plan.is_index(fetched) is listing


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff"])
def test_documents_that_are_none(body: bytes) -> None:
    with pytest.raises(InvalidParameter, match="unsupported manifest format"):
        pull_plan.is_index(Fetched("text/html", "", body))


def test_the_oldest_manifests_are_refused() -> None:
    old = Fetched("", "", json.dumps({"schemaVersion": 1, "fsLayers": []}).encode())
    with pytest.raises(InvalidParameter, match="schema 1 support has been removed"):
        pull_plan.plan(old, [], "docker.io/library/old:1")


@pytest.mark.parametrize(
    ("current", "total", "drawn"),
    [
        (0, 0, ""),
        (1500, 0, "   1.5kB"),
        (0, 1000, f"[>{' ' * 50}]       0B/1kB"),
        (500, 1000, f"[{'=' * 25}>{' ' * 25}]     500B/1kB"),
        (1000, 1000, f"[{'=' * 50}>]      1kB/1kB"),
        (2000, 1000, f"[{'=' * 50}>]      2kB"),
    ],
)
def test_bars(current: int, total: int, drawn: str) -> None:
    assert progress_bar(current, total) == drawn


def test_a_line_without_figures_has_no_bar() -> None:
    assert update("abc", "Waiting") == {"status": "Waiting", "progressDetail": {}, "id": "abc"}


def test_levels_of_x86() -> None:
    second = frozenset("cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3".split())
    third = second | frozenset("avx avx2 bmi1 bmi2 f16c fma abm movbe xsave".split())
    assert [level(frozenset()), level(second), level(third)] == ["", "v2", "v3"]
    assert level(third - {"popcnt"}) == ""
