"""Layouts, and archives for several platforms: the right image with its documents, or a clear error."""

import gzip
import io
import json
import random
import tarfile
from collections.abc import Sequence

import pytest

from lading.errors import InvalidParameter, LadingError, NotFound
from lading.images.machine import plain
from lading.oci.image import Platform

from .layouts import CONFIG, INDEX, LAYER, MANIFEST, Layout, config_id, many_platforms
from .rooms import Rooms, archived, configuration, digest_of, saved, streamed, tree

ONE = tree({"one": "1"})
TWO = tree({"two": "2"})
HERE = plain().architecture
FOREIGN = "s390x" if HERE != "s390x" else "ppc64le"


async def load(rooms: Rooms, data: bytes, *wanted: Platform) -> str:
    said = [message async for message in rooms.images.load(streamed(data), quiet=True, wanted=wanted)]
    return "".join(message["stream"] for message in said)


async def test_the_image_for_this_machine_is_taken_of_several(rooms: Rooms) -> None:
    layout, index, ids = many_platforms("app:1", {FOREIGN: [TWO], HERE: [ONE]})
    assert await load(rooms, layout.archive()) == "Loaded image: app:1\n"
    image = rooms.images.resolve("app:1")
    assert image.id == ids[HERE]
    # Index and manifest stay as they came, so that others can be given the very same.
    assert {index["digest"], image.manifest_digest} <= set(image.record.blobs)
    assert rooms.content.read(index["digest"]) == layout.files[f"blobs/sha256/{index['digest'][7:]}"]
    assert len(rooms.images.list()) == 1
    await rooms.cleared()
    rooms.check()


async def test_the_platform_asked_for(rooms: Rooms) -> None:
    layout, _, ids = many_platforms("app:1", {HERE: [ONE], FOREIGN: [TWO], "arm/v5": [ONE, TWO]})
    assert await load(rooms, layout.archive(), Platform(FOREIGN, "linux")) == "Loaded image: app:1\n"
    assert rooms.images.resolve("app:1").id == ids[FOREIGN]
    said = await load(rooms, layout.archive(), Platform("arm", "linux", "v5"))
    assert said.endswith("Loaded image: app:1\n")
    assert rooms.images.resolve("app:1").id == ids["arm/v5"]


async def test_several_platforms_asked_for(rooms: Rooms) -> None:
    layout, _, ids = many_platforms("app:1", {HERE: [ONE], FOREIGN: [TWO]})
    said = await load(rooms, layout.archive(), Platform(FOREIGN, "linux"), Platform(HERE, "linux"))
    assert said == f"Loaded image: app:1\nLoaded image ID: {ids[HERE]}\n"
    assert rooms.images.resolve("app:1").id == ids[FOREIGN]
    assert {shown["Id"] for shown in rooms.images.list()} == set(ids.values())
    await rooms.cleared()
    rooms.check()


@pytest.mark.parametrize(
    ("host", "offered", "taken"),
    [
        (Platform("arm64", "linux"), ["arm/v7", "amd64", "arm64/v8"], "arm64/v8"),
        (Platform("arm64", "linux"), ["amd64", "arm/v6", "arm/v7"], "arm/v7"),
        (Platform("arm", "linux", "v6"), ["arm/v7", "arm/v5", "arm/v6"], "arm/v6"),
        (Platform("arm", "linux", "v6"), ["arm/v7", "arm/v5"], "arm/v5"),
        (Platform("arm", "linux", "v7"), ["arm/v5", "arm"], "arm"),
        (Platform("amd64", "linux"), ["amd64/v3", "386", "amd64"], "amd64"),
        (Platform("amd64", "linux"), ["arm64", "386"], "386"),
        # Nothing runs here: it is wanted all the same, to be saved or pushed again.
        (Platform("riscv64", "linux"), ["arm64", "386"], "arm64"),
    ],
)
async def test_what_runs_best(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, host: Platform, offered: Sequence[str], taken: str
) -> None:
    monkeypatch.setattr("lading.images.machine.plain", lambda: host)
    layout, _, ids = many_platforms("app:1", {each: [ONE] for each in offered})
    await load(rooms, layout.archive())
    assert rooms.images.resolve("app:1").id == ids[taken]


async def test_a_platform_that_is_not_there(rooms: Rooms) -> None:
    layout, _, _ = many_platforms("app:1", {HERE: [ONE]})
    with pytest.raises(NotFound, match=r"app:1 doesn't provide the requested platform \(linux/mips64le\)"):
        await load(rooms, layout.archive(), Platform("mips64le", "linux"))
    with pytest.raises(NotFound, match="no images providing the requested platform linux/mips64le found"):
        await load(rooms, saved("b:1", [ONE]), Platform("mips64le", "linux"))
    await rooms.cleared()
    assert rooms.files() == []


async def test_a_saved_archive_for_the_platform_asked_for(rooms: Rooms) -> None:
    assert await load(rooms, saved("a:1", [ONE]), Platform("amd64", "linux", "v1")) == "Loaded image: a:1\n"


async def test_platforms_left_out_of_the_archive(rooms: Rooms) -> None:
    layout, index, ids = many_platforms("app:1", {HERE: [ONE], FOREIGN: [TWO]})
    for document in json.loads(layout.files[f"blobs/sha256/{index['digest'][7:]}"])["manifests"]:
        if document["platform"]["architecture"] == HERE:
            del layout.files[f"blobs/sha256/{document['digest'][7:]}"]
    await load(rooms, layout.archive())
    assert rooms.images.resolve("app:1").id == ids[FOREIGN]


async def test_names_by_every_annotation(rooms: Rooms) -> None:
    layout = Layout()
    image, other = layout.image([ONE]), layout.image([TWO])
    layout.list(image, "docker.io/library/app:1")
    layout.list(image, "app:2", "org.opencontainers.image.ref.name")
    layout.list(other, "latest", "org.opencontainers.image.ref.name")
    said = await load(rooms, layout.archive())
    # A tag alone is no name.
    assert said == f"Loaded image: app:1\nLoaded image: app:2\nLoaded image ID: {config_id(layout, other)}\n"
    await rooms.cleared()
    rooms.check()


async def test_what_docker_25_and_later_save(rooms: Rooms) -> None:
    layout = Layout()
    image = layout.image([ONE, TWO], compress=None)
    config = config_id(layout, image)
    layout.list(image, "docker.io/library/app:1")
    manifest = [
        {
            "Config": f"blobs/sha256/{config[7:]}",
            "RepoTags": ["app:1", "app:2"],
            "Layers": [f"blobs/sha256/{digest_of(layer)[7:]}" for layer in (ONE, TWO)],
            "LayerSources": {},
        }
    ]
    layout.files["manifest.json"] = json.dumps(manifest).encode()
    assert await load(rooms, layout.archive()) == "Loaded image: app:1\nLoaded image: app:2\n"
    image_here = rooms.images.resolve("app:2")
    assert (image_here.id, image_here.manifest_digest) == (config, image["digest"])


@pytest.mark.parametrize("suffix", [".tar.gz", ""])
async def test_what_crane_and_ko_write(rooms: Rooms, suffix: str) -> None:
    config = configuration([ONE, TWO])
    layers = {f"{digest_of(gzip.compress(each))[7:]}{suffix}": gzip.compress(each) for each in (ONE, TWO)}
    listed = [{"Config": digest_of(config), "RepoTags": ["ko.local/app:1"], "Layers": list(layers)}]
    data = archived({digest_of(config): config, **layers, "manifest.json": json.dumps(listed).encode()})
    assert await load(rooms, data) == "Loaded image: ko.local/app:1\n"
    assert rooms.images.resolve("ko.local/app:1").id == digest_of(config)
    before = rooms.files()
    assert await load(rooms, data) == "Loaded image: ko.local/app:1\n"
    await rooms.cleared()
    assert rooms.files() == before


async def test_parents_within_an_archive(rooms: Rooms) -> None:
    base, top = configuration([ONE]), configuration([ONE, TWO])
    entries = [
        {"Config": "base.json", "RepoTags": ["base:1"], "Layers": ["1.tar"]},
        {
            "Config": "top.json",
            "RepoTags": ["top:1"],
            "Layers": ["1.tar", "2.tar"],
            "Parent": digest_of(base),
        },
    ]
    files = {"base.json": base, "top.json": top, "1.tar": ONE, "2.tar": TWO}
    await load(rooms, archived({**files, "manifest.json": json.dumps(entries).encode()}))
    assert rooms.images.inspect("top:1")["Parent"] == digest_of(base)


async def test_a_parent_elsewhere_is_passed_over(rooms: Rooms) -> None:
    config = configuration([ONE])
    entry = {"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["1.tar"], "Parent": digest_of(b"elsewhere")}
    await load(
        rooms, archived({"c.json": config, "1.tar": ONE, "manifest.json": json.dumps([entry]).encode()})
    )
    assert rooms.images.inspect("a:1")["Parent"] == ""


async def test_an_empty_list_loads_nothing(rooms: Rooms) -> None:
    assert await load(rooms, archived({"manifest.json": b"[]"})) == ""


async def test_links_to_directories(rooms: Rooms) -> None:
    config = configuration([ONE])
    entry = {"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["there/layer.tar"]}
    plain = archived({"here/layer.tar": ONE, "c.json": config, "manifest.json": json.dumps([entry]).encode()})
    buffer = io.BytesIO(plain)
    with tarfile.open(fileobj=buffer, mode="a") as archive:
        link = tarfile.TarInfo("there")
        link.type, link.linkname = tarfile.SYMTYPE, "./here"
        archive.addfile(link)
    assert await load(rooms, buffer.getvalue()) == "Loaded image: a:1\n"


async def test_the_last_of_two_entries_of_one_name_counts(rooms: Rooms) -> None:
    config = configuration([TWO])
    entry = {"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["layer.tar"]}
    buffer = io.BytesIO(archived({"manifest.json": b"[]", "layer.tar": ONE, "c.json": b"{}"}))
    with tarfile.open(fileobj=buffer, mode="a") as archive:
        for name, data in {
            "c.json": config,
            "layer.tar": TWO,
            "manifest.json": json.dumps([entry]).encode(),
        }.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert await load(rooms, buffer.getvalue()) == "Loaded image: a:1\n"
    assert rooms.images.resolve("a:1").document.diff_ids == [digest_of(TWO)]
    await rooms.cleared()
    rooms.check()


def lying_manifest(**changes: int) -> bytes:
    layout = Layout()
    image = layout.image([ONE])
    manifest = json.loads(layout.files[f"blobs/sha256/{image['digest'][7:]}"])
    manifest["layers"][0]["size"] += changes.get("layer", 0)
    manifest["config"]["size"] += changes.get("config", 0)
    made = layout.document(manifest, MANIFEST)
    made["size"] += changes.get("manifest", 0)
    layout.list(made, "app:1")
    return layout.archive()


def looping_indexes() -> bytes:
    # A digest cannot point at itself; whoever tries has to lie about one.
    layout = Layout()
    inner = layout.index([])
    outer = layout.index([inner])
    layout.files[f"blobs/sha256/{inner['digest'][7:]}"] = layout.files[
        f"blobs/sha256/{outer['digest'][7:]}"
    ].ljust(inner["size"])
    layout.list(outer, "app:1")
    return layout.archive()


def nested_indexes() -> bytes:
    layout = Layout()
    descriptor = layout.image([ONE])
    for _ in range(6):
        descriptor = layout.index([descriptor])
    layout.list(descriptor, "app:1")
    return layout.archive()


def other_things(config: str = CONFIG, layer: str = LAYER, manifest: str = MANIFEST) -> bytes:
    layout = Layout()
    body = {
        "schemaVersion": 2,
        "config": layout.blob(configuration([ONE]), config),
        "layers": [layout.blob(ONE, layer)],
    }
    layout.list(layout.document(body, manifest), "app:1")
    return layout.archive()


def incomplete(what: str) -> bytes:
    layout = Layout()
    layout.list(layout.image([ONE]), "app:1")
    del layout.files[next(path for path, data in layout.files.items() if what in _kind(data))]
    return layout.archive()


def _kind(data: bytes) -> str:
    if data[:1] != b"{":
        return "layer" if data[:2] == b"\x1f\x8b" else ""
    return "manifest" if b'"layers": [{"media' in data else "config" if b"rootfs" in data else ""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lying_manifest(layer=1), "size mismatch of sha256:"),
        (lying_manifest(layer=-1), "size mismatch of sha256:"),
        (lying_manifest(config=5), "size mismatch of sha256:"),
        (lying_manifest(manifest=-3), "size mismatch of sha256:"),
        (looping_indexes(), "mismatch"),
        (nested_indexes(), "nested too deeply"),
        (
            other_things(config="application/vnd.cncf.helm.config.v1+json"),
            "unsupported media type 'application/vnd.cncf",
        ),
        (other_things(layer="application/vnd.wasm"), "unsupported media type 'application/vnd.wasm'"),
        (other_things(manifest="application/x-unknown"), "unsupported media type 'application/x-unknown'"),
        (incomplete("manifest"), "the archive is incomplete: 'blobs/sha256/"),
        (incomplete("config"), "the archive is incomplete: 'blobs/sha256/"),
        (incomplete("layer"), "the archive is incomplete: layer 'blobs/sha256/"),
        (archived({"manifest.json": b"null"}), r"manifest cannot be null \(but can be \[\]\)"),
        (archived({"index.json": b'{"manifests": []}'}), "holds no image"),
        (archived({"index.json": b'{"manifests": [{"digest": "md5:x"}]}'}), "unsupported digest 'md5:x'"),
        (archived({"index.json": b"[" * 100_000}), "invalid index.json"),
        (saved("a:1", [ONE], os="windows"), "cannot load windows image on linux"),
        (other_things()[:-11_000], "unexpected EOF"),
    ],
)
async def test_broken_layouts_leave_nothing(rooms: Rooms, data: bytes, message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        await load(rooms, data)
    await rooms.cleared()
    assert rooms.files() == []
    assert (rooms.images.list(), rooms.snapshots.layers(), rooms.content.digests()) == ([], [], frozenset())


async def test_a_manifest_that_names_another_images_layer(rooms: Rooms) -> None:
    await load(rooms, saved("victim", [ONE, TWO]))
    layout = Layout()
    manifest = {
        "schemaVersion": 2,
        "config": layout.blob(configuration([ONE]), CONFIG),
        "layers": [{"mediaType": LAYER, "digest": digest_of(TWO), "size": len(TWO)}],
    }
    layout.files[f"blobs/sha256/{digest_of(TWO)[7:]}"] = TWO
    layout.list(layout.document(manifest, MANIFEST), "app:1")
    with pytest.raises(LadingError, match="invalid diffID for layer"):
        await load(rooms, layout.archive())
    await rooms.cleared()
    rooms.check()


async def test_dockers_own_media_types_stay(rooms: Rooms) -> None:
    layout = Layout()
    docker = "application/vnd.docker."
    body = {
        "schemaVersion": 2,
        "mediaType": f"{docker}distribution.manifest.v2+json",
        "config": layout.blob(configuration([ONE]), f"{docker}container.image.v1+json"),
        "layers": [layout.blob(gzip.compress(ONE), f"{docker}image.rootfs.diff.tar.gzip")],
    }
    layout.list(layout.document(body, f"{docker}distribution.manifest.v2+json"), "app:1")
    assert await load(rooms, layout.archive()) == "Loaded image: app:1\n"
    image = rooms.images.resolve("app:1")
    assert rooms.content.media_type(image.manifest_digest) == f"{docker}distribution.manifest.v2+json"
    assert rooms.content.media_type(image.id) == f"{docker}container.image.v1+json"


async def test_more_layers_than_can_be_mounted(rooms: Rooms) -> None:
    layers = [tree({str(number): ""}) for number in range(501)]
    with pytest.raises(InvalidParameter, match="max depth exceeded: 501 layers, 500 can be stacked"):
        await load(rooms, saved("a:1", layers))
    await rooms.cleared()
    assert rooms.files() == []
    assert await load(rooms, saved("a:1", layers[1:])) == "Loaded image: a:1\n"


async def test_many_indexes_that_share_all_they_have(rooms: Rooms) -> None:
    layout = Layout()
    image = layout.image([ONE], HERE)
    first = layout.index([image], annotations={"n": "0"})
    for number in range(3):
        first = layout.document({"manifests": [first] * 500, "number": number}, INDEX)
    layout.list(first, "app:1")
    assert await load(rooms, layout.archive()) == "Loaded image: app:1\n"


@pytest.mark.parametrize("seed", range(4))
async def test_archives_damaged_at_random(rooms: Rooms, seed: int) -> None:
    chance = random.Random(seed)
    layout, _, _ = many_platforms("app:1", {HERE: [ONE, TWO], FOREIGN: [TWO]})
    whole = [saved("app:2", [ONE, TWO, TWO]), layout.archive()]
    outcomes = set()
    for attempt in range(40):
        data = bytearray(whole[attempt % 2])
        for _ in range(chance.choice((1, 2, 8))):
            at = chance.randrange(len(data) - 10_240)
            if chance.random() < 0.1:
                del data[at:]
                break
            data[at] = chance.choice((0, 0x20, 0x30, 0x7B, 0x22, chance.randrange(256)))
            if chance.random() < 0.2:
                block = at // 512 * 512
                data[block : block + 512] = data[:512]
        try:
            await load(rooms, bytes(data))
            outcomes.add("loaded")
        except LadingError as error:
            outcomes.add("refused" if error.message else "refused without a word")
        await rooms.cleared()
        rooms.check()
    assert outcomes == {"loaded", "refused"}


async def test_a_list_that_knows_one_platform_of_two(rooms: Rooms) -> None:
    layout = Layout()
    here, foreign = layout.for_platform([ONE], HERE), layout.for_platform([TWO], FOREIGN)
    for image in (here, foreign):
        layout.list(image, "app:1")
    entry = {
        "Config": f"blobs/sha256/{config_id(layout, here)[7:]}",
        "RepoTags": ["app:1"],
        "Layers": [f"blobs/sha256/{digest_of(gzip.compress(ONE))[7:]}"],
    }
    layout.files["manifest.json"] = json.dumps([entry]).encode()
    await load(rooms, layout.archive())
    assert rooms.images.resolve("app:1").id == config_id(layout, here)
    await load(rooms, layout.archive(), Platform(FOREIGN, "linux"))
    assert rooms.images.resolve("app:1").id == config_id(layout, foreign)
