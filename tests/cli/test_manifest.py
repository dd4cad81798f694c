"""`lading manifest`, which asks registries through the engine, beside docker, which asks them itself."""

import base64
import hashlib
import json
import os
import posix
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import DOCKER, Outcome, needs_docker
from tests.cli.recorder import Recorder, as_json, refusal
from tests.engine.engine import Engine
from tests.registries import PASSWORD, USER, Registry, needs_registry

Run = Callable[..., Outcome]

OCI = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
_KINDS = {
    "oci": (OCI, "application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip"),
    "docker": (
        DOCKER_MANIFEST,
        "application/vnd.docker.container.image.v1+json",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ),
}
_LISTS = {"oci": OCI_INDEX, "docker": DOCKER_LIST}

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="an engine needs root")


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Shelf:
    """What the tests put into a registry."""

    def __init__(self, registry: Registry, headers: dict[str, str] | None = None) -> None:
        self.registry = registry
        self._headers = headers or {}

    def blob(self, repository: str, data: bytes) -> dict[str, Any]:
        start = f"/v2/{repository}/blobs/uploads/"
        _, fields, _ = self.registry.request("POST", start, None, self._headers)
        place = fields["location"].partition(self.registry.host)[2]
        target = f"{place}&digest={_digest(data)}"
        kind = {"Content-Type": "application/octet-stream", **self._headers}
        assert self.registry.request("PUT", target, data, kind)[0] == 201
        return {"digest": _digest(data), "size": len(data)}

    def manifest(self, repository: str, tag: str, document: dict[str, Any], spaces: int | None = None) -> Any:
        body = json.dumps(document, indent=spaces).encode()
        kind = {"Content-Type": document["mediaType"], **self._headers}
        status, _, answer = self.registry.request("PUT", f"/v2/{repository}/manifests/{tag}", body, kind)
        assert status == 201, answer
        return {"mediaType": document["mediaType"], "digest": _digest(body), "size": len(body)}

    def image(self, repository: str, tag: str, kind: str, architecture: str, variant: str = "") -> Any:
        """An image of one layer; its descriptor as a list has it."""
        platform = {"architecture": architecture, "os": "linux"} | ({"variant": variant} if variant else {})
        media_type, config_type, layer_type = _KINDS[kind]
        config = json.dumps({**platform, "rootfs": {"type": "layers", "diff_ids": []}, "kind": kind}).encode()
        layer = f"layer of {kind} {architecture} in {repository}".encode()
        document = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {"mediaType": config_type, **self.blob(repository, config)},
            "layers": [{"mediaType": layer_type, **self.blob(repository, layer)}],
        }
        if kind == "oci":
            document["annotations"] = {"a<b>": "ü & \u2028 x"}
        descriptor = self.manifest(repository, tag, document, 3 if kind == "docker" else None)
        return {**descriptor, "platform": platform}

    def fill(self, repository: str) -> None:
        """Two images and a list of both, of each kind."""
        for kind, list_type in _LISTS.items():
            entries = [
                self.image(repository, f"{kind}-amd64", kind, "amd64"),
                self.image(repository, f"{kind}-arm", kind, "arm", "v7"),
            ]
            document = {"schemaVersion": 2, "mediaType": list_type, "manifests": entries}
            self.manifest(repository, f"{kind}-list", document)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("registry")) as made:
        shelf = Shelf(made)
        for repository in ("app", "other/place"):
            shelf.fill(repository)
        yield made


SCRIPT = r"""
create @/app:new @/app:docker-amd64 @/app:docker-arm
inspect @/app:oci-amd64
inspect -v @/app:oci-amd64
inspect @/app:docker-arm
inspect -v @/app:docker-arm
inspect @/app:docker-list
inspect -v @/app:docker-list
inspect @/app:oci-list
inspect -v @/app:oci-list
inspect @/app:nope
inspect @/nope:x
inspect X
inspect
create @/app:new @/app:docker-amd64
create -a @/app:new @/other/place:oci-arm
create @/app:new2 @/app:docker-list
create @/app:new2 @/app:nope
create X @/app:nope
annotate @/app:new @/app:docker-arm --os linux --arch arm --variant v6 --os-version 10 --os-features a,b
annotate @/app:new @/app:docker-arm --os-features b,c
annotate @/app:new @/app:docker-arm --arch x
annotate @/app:new @/app:zz --arch x
annotate @/app:zz @/app:zz --arch x
annotate X y
annotate x Y
annotate x
inspect @/app:new
inspect -v @/app:new
inspect @/app:new @/app:docker-arm
inspect -v @/app:new @/app:docker-arm
inspect @/app:new @/app:xx
inspect @/app:yy @/app:xx
push @/app:new
push @/app:nope
create @/app:mixed @/app:oci-amd64 @/other/place:docker-arm
push -p @/app:mixed
inspect @/app:mixed
rm @/app:mixed @/app:new X
rm
""".strip().splitlines()


@needs_root
@needs_docker
@needs_registry
def test_same_as_docker(engine: Engine, registry: Registry, tmp_path: Path) -> None:
    """Line after line, also what is kept between them."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for line in SCRIPT:
        words = ["manifest", *shlex.split(line.replace("@", registry.host))]
        # Docker takes nobody's word for plain HTTP on loopback; our engine knows.
        flag = ["--insecure"] if words[1] in ("inspect", "create", "push") else []
        expected = _run([str(DOCKER), *words[:2], *flag, *words[2:]], engine, theirs)
        found = _run(["lading", *words], engine, ours)
        assert found == expected, line
        assert _kept(ours) == _kept(theirs), line


def _run(argv: list[str], engine: Engine, config: Path) -> tuple[int, str, str]:
    environment = {**engine.environment, "DOCKER_CONFIG": str(config)}
    if argv[0] == "lading":
        argv = [str(Path(sys.executable).parent / "lading"), *argv[1:]]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr.replace("lading", "docker")


def _kept(config: Path) -> dict[str, bytes]:
    root = config / "manifests"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@needs_root
@needs_registry
def test_a_list_from_two_repositories(engine: Engine, tmp_path: Path) -> None:
    """Blobs of the other repository are taken over by the registry, and the list can be pulled."""
    with Registry(tmp_path / "registry") as registry:
        shelf, host = Shelf(registry), registry.host
        shelf.image("here", "a", "oci", "amd64")
        other = shelf.image("there", "b", "oci", "arm", "v7")
        _, body = registry.manifest("there", "b")
        config = json.loads(body)["config"]["digest"]
        engine.lading("manifest", "create", f"{host}/here:all", f"{host}/here:a", f"{host}/there:b")
        pushed = engine.lading("manifest", "push", "--purge", f"{host}/here:all").stdout.decode().splitlines()
        assert pushed[0] == f"Pushed ref {host}/here@{other['digest']} with digest: {other['digest']}"
        media_type, listed = registry.manifest("here", "all")
        assert (media_type, _digest(listed)) == (OCI_INDEX, pushed[1])
        assert [entry["platform"]["architecture"] for entry in json.loads(listed)["manifests"]] == [
            "amd64",
            "arm",
        ]
        assert registry.request("HEAD", f"/v2/here/blobs/{config}")[0] == 200
        gone = engine.lading("manifest", "rm", f"{host}/here:all", check=False)
        assert gone.stderr.decode() == f"No such manifest: {host}/here:all\n"


@needs_root
@needs_registry
def test_a_list_of_two_registries_is_refused(engine: Engine, registry: Registry) -> None:
    target = "localhost:1/app:x"
    engine.lading("manifest", "create", target, f"{registry.host}/app:oci-amd64")
    done = engine.lading("manifest", "push", target, check=False)
    assert done.returncode == 1
    assert b"cannot use source images from a different registry than the target image" in done.stderr
    engine.lading("manifest", "rm", target)


@needs_root
@needs_registry
def test_credentials_go_along(engine: Engine, tmp_path: Path) -> None:
    secret = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    with Registry(tmp_path / "registry", auth="htpasswd") as registry:
        Shelf(registry, {"Authorization": f"Basic {secret}"}).image("app", "a", "oci", "amd64")
        name = f"{registry.host}/app:a"
        assert _run(["lading", "manifest", "inspect", name], engine, tmp_path / "nobody")[0] == 1
        config = tmp_path / "config"
        config.mkdir()
        (config / "config.json").write_text(json.dumps({"auths": {registry.host: {"auth": secret}}}))
        code, shown, _ = _run(["lading", "manifest", "inspect", name], engine, config)
        assert (code, json.loads(shown)["mediaType"]) == (0, OCI)


@needs_root
@needs_registry
def test_a_manifest_under_a_digest_that_is_not_its_own(engine: Engine, registry: Registry) -> None:
    body = {"MediaType": OCI, "Raw": base64.b64encode(b"{}").decode()}
    status, answer = engine.api("POST", f"/lading/manifests/{registry.host}/app@sha256:{'1' * 64}", body)
    assert (status, answer["message"]) == (400, f"digest mismatch: expected sha256:{'1' * 64}")


# --- against an engine that is none


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(posix.environ, b"DOCKER_CONFIG", bytes(tmp_path / "settings"))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (refusal(404, "page not found"), "this engine cannot ask registries for manifests\n"),
        (refusal(404, "manifest unknown"), "no such manifest: docker.io/library/x:latest\n"),
        (refusal(500, "boom"), "Error response from daemon: boom\n"),
    ],
)
def test_refusals(answer: Any, message: str, recorder: Recorder, lading: Run) -> None:
    recorder.answers["GET /lading/manifests/docker.io/library/x:latest"] = answer
    assert lading("manifest", "inspect", "x") == Outcome(1, "", message)


def test_insecure_is_passed_on(recorder: Recorder, lading: Run) -> None:
    raw = b'{"schemaVersion":2}'
    descriptor = {"mediaType": OCI, "digest": _digest(raw), "size": len(raw)}
    recorder.answers["GET /lading/manifests/docker.io/library/x:1"] = as_json(
        {"Descriptor": descriptor, "Raw": base64.b64encode(raw).decode()}
    )
    shown = lading("manifest", "inspect", "--insecure", "x:1")
    assert shown == Outcome(0, '{\n\t"schemaVersion": 2\n}\n', "")
    assert recorder.take()[-1].query == {"insecure": ["1"]}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"manifests":{}}',
        b'{"manifests":[1]}',
        b'{"manifests":[{"digest":"x","mediaType":"y"}]}',
    ],
)
def test_a_list_that_is_damaged(raw: bytes, recorder: Recorder, lading: Run) -> None:
    recorder.answers["GET /lading/manifests/docker.io/library/x:1"] = as_json(
        {"Descriptor": {"mediaType": DOCKER_LIST}, "Raw": base64.b64encode(raw).decode()}
    )
    message = "the manifest of docker.io/library/x:1 is damaged\n"
    assert lading("manifest", "inspect", "x:1") == Outcome(1, "", message)


@pytest.mark.parametrize("text", ["{", "[]", '{"Ref":"x"}', '{"Ref":"x","Descriptor":[]}', '{"Raw":"!"}'])
def test_a_damaged_file_is_named(text: str, lading: Run, tmp_path: Path) -> None:
    place = tmp_path / "settings" / "manifests" / "docker.io_library_x-1"
    place.mkdir(parents=True)
    (place / "member").write_text(text)
    outcome = lading("manifest", "inspect", "x:1")
    assert outcome == Outcome(1, "", f"invalid manifest file {place}/member\n")


@needs_docker
@pytest.mark.parametrize("name", ["inspect", "annotate", "push", "create", "rm"])
def test_help_as_docker_words_it(name: str, lading: Run) -> None:
    """All but what says that it is an experiment."""
    argv = [str(DOCKER), "manifest", name, "--help"]
    shown = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True).stdout
    before, _, rest = shown.partition("EXPERIMENTAL:")
    wanted = before + rest.partition("experimental/\n")[2].removeprefix("\n")
    ours = (
        lading("manifest", name, "--help")
        .out.replace("lading", "docker")
        .replace(" create [OPTIONS]", " create")
    )
    assert ours.strip() == wanted.strip()
