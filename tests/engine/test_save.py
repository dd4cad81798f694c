"""Saving images: what docker, podman and skopeo read of it, and what this engine itself reads back."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .engine import IMAGE, Engine, wait_for

needs_skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo")
needs_podman = pytest.mark.skipif(shutil.which("podman") is None, reason="needs podman")


@pytest.fixture
def base(engine: Engine) -> Iterator[str]:
    """A repository of the test's own with two tags for two images that share a layer; both go afterwards."""
    before = {image["Id"] for image in engine.get("/images/json")}
    container = engine.docker("create", IMAGE, "true").stdout.decode().strip()
    engine.docker("tag", IMAGE, "saved/it:one")
    engine.docker("commit", "-m", "a second image", container, "saved/it:two")
    engine.docker("rm", container)
    yield "saved/it"
    for image in engine.get("/images/json"):
        tags = [tag for tag in image["RepoTags"] if tag != f"{IMAGE}:latest"]
        for name in tags or ([] if image["Id"] in before else [image["Id"]]):
            engine.api("DELETE", f"/images/{name}?force=1")


def _identity(engine: Engine, name: str) -> str:
    return str(engine.get(f"/images/{name}/json")["Id"])


def _members(path: Path) -> list[str]:
    with tarfile.open(path) as archive:
        return archive.getnames()


def _json(path: Path, member: str) -> Any:
    with tarfile.open(path) as archive:
        file = archive.extractfile(member)
        assert file is not None
        return json.load(file)


def _skopeo(*words: str) -> str:
    done = subprocess.run(["skopeo", *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _compressed(engine: Engine, tmp_path: Path, name: str) -> None:
    """Gives the engine an image whose layers are kept compressed, with a manifest of its own."""
    engine.docker("save", "-o", str(tmp_path / "plain.tar"), IMAGE)
    archive = tmp_path / "compressed.tar"
    _skopeo("copy", f"docker-archive:{tmp_path / 'plain.tar'}", f"oci-archive:{archive}:{name}")
    engine.docker("load", "-i", str(archive))


def test_an_image_goes_to_another_engine(
    base: str, engine: Engine, new_engine: Callable[..., Engine], tmp_path: Path
) -> None:
    path = tmp_path / "images.tar"
    engine.docker("save", "-o", str(path), base)
    other = new_engine()
    said = other.docker("load", "-i", str(path)).stdout.decode()
    assert set(said.split("\n")) >= {"Loaded image: saved/it:one", "Loaded image: saved/it:two"}
    for tag in ("one", "two"):
        assert _identity(other, f"saved/it:{tag}") == _identity(engine, f"saved/it:{tag}")
    assert b"runs" in other.docker("run", "--rm", "saved/it:two", "echo", "runs").stdout


def test_a_repository_is_saved_with_all_its_tags_and_what_images_share_once(
    base: str, engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "images.tar"
    engine.docker("save", "-o", str(path), base)
    saved = {entry["RepoTags"][0]: entry for entry in _json(path, "manifest.json")}
    assert saved.keys() == {"saved/it:one", "saved/it:two"}
    assert saved["saved/it:one"]["Layers"][0] == saved["saved/it:two"]["Layers"][0]
    members = _members(path)
    assert len(members) == len(set(members))
    assert set(_json(path, "repositories")["saved/it"]) == {"one", "two"}


def test_only_what_was_named_is_a_tag_in_the_archive(base: str, engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "images.tar"
    engine.docker("save", "-o", str(path), "saved/it:two")
    assert [entry["RepoTags"] for entry in _json(path, "manifest.json")] == [["saved/it:two"]]
    identity = _identity(engine, "saved/it:two")
    engine.docker("save", "-o", str(path), identity)
    assert [entry["RepoTags"] for entry in _json(path, "manifest.json")] == [None]
    assert "repositories" not in _members(path)
    engine.docker("save", "-o", str(path), identity.removeprefix("sha256:")[:12], "saved/it:two")
    assert [entry["RepoTags"] for entry in _json(path, "manifest.json")] == [["saved/it:two"]]


def test_the_layout_holds_what_it_speaks_of(base: str, engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "images.tar"
    engine.docker("save", "-o", str(path), base)
    for entry in _json(path, "index.json")["manifests"]:
        assert entry["annotations"]["io.containerd.image.name"].startswith("docker.io/saved/it:")
        assert entry["annotations"]["org.opencontainers.image.ref.name"] in ("one", "two")
        manifest = _json(path, f"blobs/{entry['digest'].replace(':', '/')}")
        for blob in (manifest["config"], *manifest["layers"]):
            with tarfile.open(path) as archive:
                file = archive.extractfile(f"blobs/{blob['digest'].replace(':', '/')}")
                assert file is not None
                data = file.read()
            assert len(data) == blob["size"]
            assert f"sha256:{hashlib.sha256(data).hexdigest()}" == blob["digest"]


def test_the_same_images_give_the_same_archive(base: str, engine: Engine) -> None:
    first = engine.send("GET", "/images/get?names=saved/it:one&names=saved/it:two")
    assert first == engine.send("GET", f"/images/{base}/get")


def test_docker_py_saves_a_name_with_it(base: str, engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(b"".join(engine.py.images.get("saved/it:one").save(named="saved/it:one")))
    assert [entry["RepoTags"] for entry in _json(path, "manifest.json")] == [["saved/it:one"]]


@needs_skopeo
@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
def test_skopeo_reads_it_with_the_same_image_id(form: str, base: str, engine: Engine, tmp_path: Path) -> None:
    _compressed(engine, tmp_path, "saved/packed:1")
    for name in ("saved/it:two", "saved/packed:1"):
        path = tmp_path / "image.tar"
        engine.docker("save", "-o", str(path), name)
        copied = tmp_path / f"copied{name.partition(':')[2]}"
        _skopeo("copy", f"{form}:{path}", f"dir:{copied}")
        config = json.loads((copied / "manifest.json").read_text())["config"]["digest"]
        assert config == _identity(engine, name)


@needs_skopeo
def test_layers_that_came_compressed_leave_so_with_their_manifest(
    base: str, engine: Engine, tmp_path: Path
) -> None:
    _compressed(engine, tmp_path, "saved/packed:1")
    came = _json(tmp_path / "compressed.tar", "index.json")["manifests"][0]["digest"]
    path = tmp_path / "image.tar"
    engine.docker("save", "-o", str(path), "saved/packed:1")
    assert _json(path, "index.json")["manifests"][0]["digest"] == came
    manifest = _json(path, f"blobs/{came.replace(':', '/')}")
    layer = _json(path, "manifest.json")[0]["Layers"][0]
    assert layer == f"blobs/{manifest['layers'][0]['digest'].replace(':', '/')}"
    assert manifest["layers"][0]["mediaType"].endswith("+gzip")


@needs_skopeo
@needs_podman
def test_podman_loads_it_with_the_same_image_id(base: str, engine: Engine, tmp_path: Path) -> None:
    _compressed(engine, tmp_path, "saved/packed:1")
    # Podman takes no long path for its runroot.
    run = tempfile.mkdtemp(prefix="ldtpodman", dir="/run")
    podman = ["podman", "--root", f"{tmp_path}/podman", "--runroot", run, "--storage-driver", "vfs"]
    try:
        for name in ("saved/it:two", "saved/packed:1"):
            path = tmp_path / "image.tar"
            engine.docker("save", "-o", str(path), name)
            loaded = subprocess.run([*podman, "load", "-i", str(path)], capture_output=True, check=False)
            assert loaded.returncode == 0, loaded.stderr
            listed = subprocess.run([*podman, "images", "--no-trunc", "-q"], capture_output=True, check=True)
            assert _identity(engine, name) in listed.stdout.decode().split()
    finally:
        for mount in (f"{tmp_path}/podman/vfs", f"{run}/vfs"):
            subprocess.run(["umount", "-l", mount], capture_output=True, check=False)
        subprocess.run(["rm", "-rf", run, f"{tmp_path}/podman"], check=True)


def test_unknown_names_are_told_before_anything_is_sent(base: str, engine: Engine) -> None:
    status, answer = engine.api("GET", "/images/get?names=saved/it:one&names=saved/it:three")
    assert (status, answer) == (404, {"message": "reference does not exist"})
    status, answer = engine.api("GET", "/images/nowhere/get")
    assert (status, answer) == (404, {"message": "No such image: nowhere"})
    status, answer = engine.api("GET", f"/images/{'0' * 12}/get")
    assert (status, answer) == (404, {"message": f"No such image: {'0' * 12}"})
    assert engine.api("GET", "/images/Not%20a%20name/get")[0] == 400


def test_a_missing_layer_is_told_before_anything_is_sent(
    new_engine: Callable[..., Engine], tmp_path: Path
) -> None:
    engine = new_engine()
    engine.docker("save", "-o", str(tmp_path / "image.tar"), IMAGE)
    layer = _json(tmp_path / "image.tar", "manifest.json")[0]["Layers"][0]
    (engine.data_root / "content" / layer).unlink()
    status, answer = engine.api("GET", f"/images/{IMAGE}/get")
    assert (status, answer) == (
        500,
        {"message": "cannot read a blob of the image: No such file or directory"},
    )
    (engine.data_root / "content" / layer).write_bytes(b"half of it")
    status, answer = engine.api("GET", f"/images/{IMAGE}/get")
    assert status == 500
    assert "is damaged: load or pull the image again" in answer["message"]


def test_only_the_platform_asked_for_is_saved(base: str, engine: Engine) -> None:
    shown = engine.get("/images/saved/it:one/json")
    own = json.dumps({"os": shown["Os"], "architecture": shown["Architecture"]}).replace(" ", "")
    assert engine.send("GET", f"/images/saved/it:one/get?platform={own}")[0] == 200
    other = json.dumps({"os": "linux", "architecture": "s390x"}).replace(" ", "")
    status, answer = engine.api("GET", f"/images/saved/it:one/get?platform={other}")
    assert status == 404
    assert "does not match the specified platform: wanted linux/s390x" in answer["message"]


def test_an_image_removed_while_it_is_saved_is_saved_whole(
    base: str, engine: Engine, new_engine: Callable[..., Engine], tmp_path: Path
) -> None:
    # More than sockets and buffers hold, so that most of it is still to be read when the image goes.
    tree = tmp_path / "big.tar"
    with tarfile.open(tree, "w") as archive:
        (tmp_path / "noise").write_bytes(os.urandom(24 << 20))
        archive.add(tmp_path / "noise", "noise")
    identity = engine.docker("import", str(tree), "saved/big:1").stdout.decode().strip()
    with contextlib.closing(engine.connect()) as connection:
        connection.sendall(b"GET /images/saved/big:1/get HTTP/1.0\r\n\r\n")
        start = connection.recv(4096)
        engine.docker("rmi", "saved/big:1")
        assert engine.api("GET", f"/images/{identity}/json")[0] == 404
        pieces = [start]
        while piece := connection.recv(1 << 20):
            pieces.append(piece)
    path = tmp_path / "image.tar"
    path.write_bytes(b"".join(pieces).partition(b"\r\n\r\n")[2])
    new_engine().docker("load", "-i", str(path))


def test_a_client_that_goes_away_leaves_nothing_held(base: str, engine: Engine, tmp_path: Path) -> None:
    tree = tmp_path / "big.tar"
    with tarfile.open(tree, "w") as archive:
        (tmp_path / "noise").write_bytes(os.urandom(24 << 20))
        archive.add(tmp_path / "noise", "noise")
    engine.docker("import", str(tree), "saved/big:1")
    blobs = engine.data_root / "content/blobs/sha256"
    many = len(list(blobs.iterdir()))
    with contextlib.closing(engine.connect()) as connection:
        connection.sendall(b"GET /images/saved/big:1/get HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(4096)
    engine.docker("rmi", "saved/big:1")
    # The layer and the configuration: gone as soon as nobody reads them any more.
    wait_for(lambda: len(list(blobs.iterdir())) == many - 2)


def test_saving_is_an_event(base: str, engine: Engine, tmp_path: Path) -> None:
    since = time.time()
    engine.docker("save", "-o", str(tmp_path / "image.tar"), "saved/it:two")
    filters = {"event": "save"}
    told = engine.py.events(since=since, until=time.time(), filters=filters, decode=True)
    assert [event["Actor"]["ID"] for event in told] == [_identity(engine, "saved/it:two")]
