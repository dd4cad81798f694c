"""What a push sends, and which manifest stands for it."""

import json

import pytest

from lading.images.push_plan import PushedLayer, distinct, manifest_for, media_type_of, mount_sources
from lading.images.reference import parse
from lading.oci import image as oci


def _digest(text: str) -> str:
    return oci.digest_of(text.encode())


def _blob(text: str, media_type: str = oci.LAYER_GZIP) -> oci.Descriptor:
    return oci.Descriptor(media_type, _digest(text), len(text))


def test_layers_are_listed_once_and_the_topmost_first() -> None:
    layers = [PushedLayer(_digest(text), _blob(text)) for text in ("a", "b", "a", "c")]
    assert [layer.name for layer in distinct(layers)] == [_digest(text)[7:19] for text in ("c", "b", "a")]


@pytest.mark.parametrize(
    ("media_type", "travels"),
    [
        (oci.LAYER_GZIP, True),
        (oci.LAYER_ZSTD, True),
        (oci.DOCKER_LAYER, True),
        (oci.LAYER, False),
        ("", False),
    ],
)
def test_registries_get_what_every_client_reads(media_type: str, travels: bool) -> None:
    assert PushedLayer(_digest("a"), _blob("a", media_type)).travels == travels


def test_what_has_addresses_of_its_own_is_not_for_the_registry() -> None:
    foreign = oci.Descriptor(oci.DOCKER_LAYER, _digest("a"), 1, urls=["https://elsewhere.example/a"])
    assert PushedLayer(_digest("a"), foreign).foreign
    assert not PushedLayer(_digest("a"), _blob("a")).foreign


def test_images_without_a_manifest_get_dockers() -> None:
    body = manifest_for(_digest("id"), 7, [_blob("a"), _blob("bc", oci.DOCKER_LAYER)])
    assert media_type_of(body) == oci.DOCKER_MANIFEST
    assert json.loads(body) == {
        "schemaVersion": 2,
        "mediaType": oci.DOCKER_MANIFEST,
        "config": {"mediaType": oci.DOCKER_CONFIG, "size": 7, "digest": _digest("id")},
        "layers": [
            {"mediaType": oci.DOCKER_LAYER, "size": 1, "digest": _digest("a")},
            {"mediaType": oci.DOCKER_LAYER, "size": 2, "digest": _digest("bc")},
        ],
    }
    assert body.startswith(b'{\n   "schemaVersion": 2,\n   "mediaType": "')
    assert body == manifest_for(_digest("id"), 7, [_blob("a"), _blob("bc", oci.DOCKER_LAYER)])


def test_layers_docker_has_no_name_for_make_it_an_oci_manifest() -> None:
    body = manifest_for(_digest("id"), 7, [_blob("a"), _blob("b", oci.LAYER_ZSTD)])
    assert media_type_of(body) == oci.MANIFEST
    assert [layer["mediaType"] for layer in json.loads(body)["layers"]] == [oci.LAYER_GZIP, oci.LAYER_ZSTD]


def test_blobs_are_mounted_from_repositories_of_the_same_registry_the_owners_first() -> None:
    digest = _digest("a")
    names = ["r.example/other/x", "r.example/mine/y", "r.example/mine/z", "elsewhere.example/mine/q"]
    holders = {digest: [parse(f"{name}@{_digest('m')}") for name in names]}
    assert mount_sources(parse("r.example/mine/z:1"), digest, holders) == ["mine/y", "other/x"]
    assert mount_sources(parse("r.example/mine/z:1"), _digest("b"), holders) == []


def test_only_a_few_repositories_are_asked() -> None:
    digest = _digest("a")
    holders = {digest: [parse(f"r.example/x/{number}@{_digest('m')}") for number in range(50)]}
    assert len(mount_sources(parse("r.example/y/z:1"), digest, holders)) == 4
