"""Archives of a few kilobytes that would keep an engine busy for hours."""

import json
import tarfile
from collections.abc import Mapping

import pytest

from lading.errors import InvalidParameter, LadingError, TooLarge

from .rooms import Rooms, archived, configuration, digest_of, tree

ONE = tree({"a": "one"})
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
pytestmark = pytest.mark.timeout(60)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _configuration_many_times() -> bytes:
    config = configuration([ONE], history=[{"created_by": "x" * 20}] * 10_000)
    entry = {"Config": "config.json", "RepoTags": None, "Layers": ["layer.tar"]}
    return archived({"config.json": config, "layer.tar": ONE, "manifest.json": _json([entry] * 100_000)})


def _parents_many_times() -> bytes:
    files = {
        f"i{number}/json": _json({"id": f"i{number}", "parent": f"i{number - 1}" if number else ""})
        for number in range(3000)
    }
    tags = {f"t{number}": f"i{number}" for number in range(3000)}
    return archived({**files, "repositories": _json({"r": tags})})


def _index_many_times() -> bytes:
    blobs: dict[str, bytes] = {}

    def put(value: object, kind: str, **members: object) -> Mapping[str, object]:
        data = _json(value)
        blobs[f"blobs/sha256/{digest_of(data)[7:]}"] = data
        return {"mediaType": kind, "digest": digest_of(data), "size": len(data), **members}

    digests = [digest_of(str(number).encode()) for number in range(9000)]
    missing = [{"mediaType": MANIFEST, "digest": digest, "size": 1} for digest in digests]
    inner = put({"schemaVersion": 2, "manifests": missing}, INDEX)
    names = [
        {**inner, "annotations": {"io.containerd.image.name": f"docker.io/library/n:{number}"}}
        for number in range(5000)
    ]
    return archived({**blobs, "index.json": _json({"schemaVersion": 2, "manifests": names})})


@pytest.mark.parametrize("made", [_configuration_many_times, _parents_many_times, _index_many_times])
async def test_documents_that_are_named_again_and_again(rooms: Rooms, made: object) -> None:
    assert callable(made)
    with pytest.raises(TooLarge, match="the archive names its documents too often"):
        await rooms.load(made())
    rooms.check()


async def test_a_path_that_never_ends(rooms: Rooms) -> None:
    config = configuration([ONE])
    entry = {"Config": "config.json", "RepoTags": ["a:1"], "Layers": ["a/" * 1_000_000]}
    data = archived({"config.json": config, "layer.tar": ONE, "manifest.json": _json([entry])})
    # With one link, every directory of a path may be one.
    link = tarfile.TarInfo("x")
    link.type, link.linkname = tarfile.SYMTYPE, "y"
    with pytest.raises(InvalidParameter, match="too long for a path"):
        await rooms.load(link.tobuf() + data)
    rooms.check()


async def test_more_layers_and_names_than_there_can_be(rooms: Rooms) -> None:
    tall = {"Config": "config.json", "RepoTags": ["a:1"], "Layers": ["layer.tar"] * 200_000}
    files = {"config.json": configuration([ONE] * 501), "layer.tar": ONE}
    with pytest.raises(LadingError, match="max depth exceeded: 200000 layers"):
        await rooms.load(archived({**files, "manifest.json": _json([tall])}))
    named = {"Config": "config.json", "RepoTags": [f"a:{n}" for n in range(20_000)], "Layers": ["layer.tar"]}
    with pytest.raises(LadingError, match="more than 10000 names"):
        await rooms.load(archived({**files, "manifest.json": _json([named])}))
    rooms.check()


async def test_hundreds_of_images_in_one_archive(rooms: Rooms) -> None:
    files: dict[str, bytes] = {"layer.tar": ONE}
    entries = []
    for number in range(300):
        files[f"{number}.json"] = configuration([ONE], author=str(number))
        entries.append({"Config": f"{number}.json", "RepoTags": [f"a:{number}"], "Layers": ["layer.tar"]})
    await rooms.load(archived({**files, "manifest.json": _json(entries)}))
    assert len(rooms.images.list()) == 300
    rooms.check()


@pytest.mark.parametrize("path", ["\udcff\udcfe.tar", "\x1b[2J.tar", "a\nb.tar"])
async def test_paths_that_cannot_be_shown(rooms: Rooms, path: str) -> None:
    entry = {"Config": "config.json", "RepoTags": ["a:1"], "Layers": ["layer.tar"]}
    files = {
        "config.json": configuration([ONE]),
        "layer.tar": ONE,
        path: ONE,
        "manifest.json": _json([entry]),
    }
    said = await rooms.load(archived(files), quiet=False)
    assert said[-1] == {"stream": "Loaded image: a:1\n"}
    names = [message["id"] for message in said if "id" in message]
    assert len(set(names)) == 2
    assert all(name.isprintable() for name in names)
    rooms.check()


async def test_half_a_character_in_an_old_image(rooms: Rooms) -> None:
    files = {
        "one/json": b'{"id": "one", "os": "linux", "author": "\\ud800"}',
        "two/json": b'{"id": "two", "os": "linux", "parent": "one"}',
    }
    layers = {"one/layer.tar": ONE, "two/layer.tar": tree({"b": "two"})}
    await rooms.load(archived({**files, **layers, "repositories": _json({"a": {"1": "two"}})}))
    assert [entry.author for entry in rooms.images.resolve("a:1").document.history or ()] == ["?", ""]
    rooms.check()


@pytest.mark.parametrize("made_in", [[1], "x", 5, True, {"Cmd": {"a": 1}}])
async def test_an_old_image_whose_container_is_none(rooms: Rooms, made_in: object) -> None:
    files = {
        "one/json": _json({"id": "one", "os": "linux", "container_config": made_in}),
        "one/layer.tar": ONE,
    }
    await rooms.load(archived({**files, "repositories": _json({"a": {"1": "one"}})}))
    assert rooms.images.resolve("a:1")


@pytest.mark.parametrize(
    "names", [{"a": {"1": ""}}, {"a": {"1": None}}, {"a": "1"}, {"a": {"1": {}}}, [], None]
)
async def test_lists_of_names_that_name_nothing(rooms: Rooms, names: object) -> None:
    with pytest.raises(InvalidParameter):
        await rooms.load(archived({"one/json": _json({"id": "one"}), "repositories": _json(names)}))
