"""What goes into an archive of images."""

import json

from lading.images.reference import parse
from lading.images.save_plan import SavedImage, blob_path, made_manifest, plan
from lading.oci import image as oci


def _digest(text: str) -> str:
    return oci.digest_of(text.encode())


def _layer(text: str, media_type: str = oci.LAYER) -> oci.Descriptor:
    return oci.Descriptor(media_type, _digest(text), len(text))


def _image(name: str, layers: list[str], tags: list[str], variant: str = "") -> SavedImage:
    document = oci.Image(
        architecture="arm",
        os="linux",
        variant=variant,
        rootfs=oci.RootFS(diff_ids=[_digest(text) for text in layers]),
    )
    described = [_layer(text) for text in layers]
    manifest = made_manifest(_digest(name), 7, described)
    return SavedImage(_digest(name), document, 7, manifest, described, [parse(tag) for tag in tags])


def test_what_images_share_is_in_the_archive_once() -> None:
    archive = plan([_image("a", ["base", "a1"], ["x:1"]), _image("b", ["base", "base", "b1"], ["x:2"])])
    digests = [digest for digest, _ in archive.blobs]
    assert sorted(digests) == sorted(map(_digest, ("a", "b", "base", "a1", "b1")))
    assert dict(archive.blobs)[_digest("base")] == 4
    listed = json.loads(dict(archive.documents)["manifest.json"])
    assert listed[1]["Layers"] == [blob_path(_digest(text)) for text in ("base", "base", "b1")]


def test_each_name_is_listed_with_its_manifest_and_platform() -> None:
    image = _image("a", ["base"], ["x:1", "reg.example:5000/y/x:2"], "v7")
    documents = dict(plan([image]).documents)
    entries = json.loads(documents["index.json"])["manifests"]
    assert {entry["digest"] for entry in entries} == {oci.digest_of(image.manifest)}
    assert entries[0]["platform"] == {"architecture": "arm", "os": "linux", "variant": "v7"}
    assert [entry["annotations"]["io.containerd.image.name"] for entry in entries] == [
        "docker.io/library/x:1",
        "reg.example:5000/y/x:2",
    ]
    assert documents[blob_path(oci.digest_of(image.manifest))] == image.manifest
    assert json.loads(documents["repositories"]) == {
        "x": {"1": _digest("base")[7:]},
        "reg.example:5000/y/x": {"2": _digest("base")[7:]},
    }


def test_an_image_without_a_name_is_in_both_lists_but_not_among_the_repositories() -> None:
    documents = dict(plan([_image("a", ["base"], [])]).documents)
    assert "repositories" not in documents
    assert json.loads(documents["manifest.json"])[0]["RepoTags"] is None
    assert "annotations" not in json.loads(documents["index.json"])["manifests"][0]


def test_the_index_says_what_kind_of_manifest_came() -> None:
    image = _image("a", ["base"], ["x:1"])
    image.manifest = json.dumps({"mediaType": oci.DOCKER_MANIFEST, "config": {}, "layers": []}).encode()
    documents = dict(plan([image]).documents)
    assert json.loads(documents["index.json"])["manifests"][0]["mediaType"] == oci.DOCKER_MANIFEST


def test_a_manifest_that_is_made_calls_layers_as_oci_does() -> None:
    kinds = [oci.LAYER, oci.LAYER_GZIP, oci.LAYER_ZSTD, oci.DOCKER_LAYER, ""]
    manifest = json.loads(made_manifest(_digest("a"), 7, [_layer("l", kind) for kind in kinds]))
    assert [layer["mediaType"] for layer in manifest["layers"]] == [
        oci.LAYER,
        oci.LAYER_GZIP,
        oci.LAYER_ZSTD,
        oci.LAYER_GZIP,
        oci.LAYER,
    ]
    assert manifest["config"] == {"mediaType": oci.CONFIG, "digest": _digest("a"), "size": 7}
