"""What podman builds and skopeo converts runs here as it would there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..images import foreign
from ..images.foreign import Tools, needs
from ..images.layouts import many_platforms
from ..images.rooms import saved, tree
from .engine import Engine, since_cli

LINES = [
    "FROM scratch",
    "COPY busybox /bin/busybox",
    "COPY --chown=12:34 etc /etc",
    'ENV GREETING="hello there"',
    "WORKDIR /etc",
    "USER 12:34",
    'ENTRYPOINT ["/bin/busybox", "sh", "-c"]',
    'CMD ["echo $GREETING; /bin/busybox cat first; /bin/busybox id -u; /bin/busybox pwd"]',
]
SAID = b"hello there\none\n12\n/etc\n"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = Engine(tmp_path_factory.mktemp("interop"))
    made.start()
    yield made
    made.destroy()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tools, str]:
    """podman with an image that it built, and the image's ID."""
    tools = Tools(tmp_path_factory.mktemp("tools"))
    context = tools.root / "context"
    foreign.copy_busybox(context)
    (context / "etc").mkdir()
    (context / "etc/first").write_text("one\n")
    return tools, tools.built("example.com/app:1", LINES)


@needs("podman")
@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
def test_a_podman_image_runs(engine: Engine, built: tuple[Tools, str], tmp_path: Path, form: str) -> None:
    tools, image_id = built
    tools.podman("save", "-q", "--format", form, "-o", tmp_path / "saved.tar", "example.com/app:1")
    loaded = engine.docker("load", "-q", "-i", str(tmp_path / "saved.tar")).stdout
    assert loaded == b"Loaded image: example.com/app:1\n"
    assert (
        engine.docker("image", "inspect", "-f", "{{.Id}}", "example.com/app:1").stdout.decode().strip()
        == image_id
    )
    assert engine.docker("run", "--rm", "example.com/app:1").stdout == SAID
    engine.docker("rmi", "example.com/app:1")


@needs("podman", "skopeo")
def test_a_zstd_image_runs(engine: Engine, built: tuple[Tools, str], tmp_path: Path) -> None:
    tools, _ = built
    tools.podman("save", "-q", "--format", "oci-archive", "-o", tmp_path / "saved.tar", "example.com/app:1")
    options = ["--dest-compress", "--dest-compress-format", "zstd"]
    foreign.run("skopeo", "copy", "-q", *options, f"oci-archive:{tmp_path}/saved.tar", f"dir:{tmp_path}/dir")
    foreign.run("skopeo", "copy", "-q", f"dir:{tmp_path}/dir", f"oci-archive:{tmp_path}/zstd.tar:app:zstd")
    assert (
        engine.docker("load", "-q", input=(tmp_path / "zstd.tar").read_bytes()).stdout
        == b"Loaded image: app:zstd\n"
    )
    assert engine.docker("run", "--rm", "app:zstd").stdout == SAID


@since_cli(28)
def test_the_platform_asked_for(engine: Engine, tmp_path: Path) -> None:
    layout, _, ids = many_platforms("many:1", {"amd64": [tree({"a": "1"})], "s390x": [tree({"a": "2"})]})
    archive = tmp_path / "many.tar"
    archive.write_bytes(layout.archive())
    engine.docker("load", "-q", "--platform", "linux/s390x", "-i", str(archive))
    shown = engine.docker("image", "inspect", "-f", "{{.Id}} {{.Architecture}}", "many:1").stdout.decode()
    assert shown.split() == [ids["s390x"], "s390x"]
    refused = engine.docker("load", "--platform", "linux/mips64le", "-i", str(archive), check=False)
    assert refused.returncode == 1
    assert b"doesn't provide the requested platform (linux/mips64le)" in refused.stderr
    status, answer = engine.send("POST", "/v1.48/images/load?platform=linux/arm64", archive.read_bytes())
    assert status == 400
    assert b"failed to parse platform" in answer
    twice = 'platform={"os":"linux","architecture":"amd64"}'.replace('"', "%22")
    status, answer = engine.send("POST", f"/v1.48/images/load?{twice}&{twice}", archive.read_bytes())
    assert (status, b"multiple platform parameters are not supported" in answer) == (400, True)
    # Clients that know no platforms are not asked for any.
    status, _ = engine.send("POST", "/v1.47/images/load?platform=nonsense", archive.read_bytes())
    assert status == 200


def test_the_daemons_limits_for_layers(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "engine", "--max-layer-size=2m", "--max-layer-entries=100")
    engine.start()
    try:
        big = engine.docker("load", input=saved("a:1", [tree({"f": bytes(3 << 20)})]), check=False)
        assert b"the archive unpacks to more than 2097152 bytes" in big.stderr
        many = engine.docker(
            "load", input=saved("a:1", [tree(dict.fromkeys(map(str, range(101)), ""))]), check=False
        )
        assert b"the archive has more than 100 entries" in many.stderr
        assert list((engine.data_root / "content/ingest").iterdir()) == []
        engine.docker("load", input=saved("a:1", [tree(dict.fromkeys(map(str, range(100)), ""))]))
    finally:
        engine.destroy()
