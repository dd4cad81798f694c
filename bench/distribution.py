"""Images on their way: pull, push, save and load of big images, and a long list of small ones."""

import hashlib
import io
import json
import random
import shutil
import tarfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.api import Refused
from bench.engines import Engine
from bench.registry import Registry

NO_CREDENTIALS = "e30="
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_MB = 1_000_000
SIZE = 300 * _MB
LISTED = 500


@dataclass(frozen=True, slots=True)
class Transfers:
    """Seconds, but for `growth`: the most by which the engine grew during a pull, in MB of PSS."""

    pull_one: float
    pull_many: float
    push: float
    save: float
    load: float
    growth: float


class Images:
    """Images made once for all rounds, below `place`: one of a single layer and one of twenty."""

    def __init__(self, place: Path) -> None:
        self.storage = place / "registry"
        self.archive = place / "archive.tar"
        if not self.archive.exists():
            shutil.rmtree(place, ignore_errors=True)
            for name, sizes in (("one", [SIZE]), ("many", [SIZE // 20] * 20)):
                _make(self.storage / "storage", name, sizes)
            whole = _archive("loaded", SIZE)
            # Last, so that what is there is whole.
            partial = self.archive.with_suffix(".partial")
            partial.write_bytes(whole)
            partial.rename(self.archive)


def transfers(engine: Engine, images: Images, memory: Callable[[], float]) -> Transfers:
    """Each once. `memory` gives the engine's PSS in MB."""
    source = Registry(engine, images.storage, 5000)
    target = Registry(engine, engine.place / "target", 5001)
    try:
        before = memory()
        with _highest(memory) as peak:
            pull_one = _spent(lambda: _pull(engine, f"{source.name}/one"))
        pull_many = _spent(lambda: _pull(engine, f"{source.name}/many"))
        push = _spent(lambda: _push(engine, f"{source.name}/many", target.name))
        client = engine.client()
        started = time.perf_counter()
        client.drain(f"/images/{source.name}/one:latest/get")
        save = time.perf_counter() - started
        for name in (
            f"{source.name}/one:latest",
            f"{source.name}/many:latest",
            f"{target.name}/pushed:latest",
        ):
            client.call("DELETE", f"/images/{name}")
        archive = images.archive.read_bytes()
        load = _spent(lambda: client.call("POST", "/images/load", archive))
        client.call("DELETE", "/images/loaded:latest")
        client.close()
        return Transfers(pull_one, pull_many, push, save, load, max(peak) - before)
    finally:
        source.stop()
        target.stop()


def _spent(deed: Callable[[], object]) -> float:
    started = time.perf_counter()
    deed()
    return time.perf_counter() - started


def _pull(engine: Engine, name: str) -> None:
    _told(engine, f"/images/create?fromImage={name}&tag=latest")


def _push(engine: Engine, name: str, target: str) -> None:
    engine.client().call("POST", f"/images/{name}:latest/tag?repo={target}/pushed&tag=latest")
    _told(engine, f"/images/{target}/pushed/push?tag=latest")


def _told(engine: Engine, path: str) -> None:
    client = engine.client()
    told = client.call("POST", path, credentials=NO_CREDENTIALS)
    client.close()
    for line in told.splitlines():
        if b'"error"' in line:
            raise Refused(f"{engine.name}: POST {path}: {line.decode(errors='replace')}")


@contextmanager
def _highest(memory: Callable[[], float]) -> Iterator[list[float]]:
    values = [memory()]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            values.append(memory())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield values
    finally:
        ended.set()
        thread.join()


def _archive(name: str, size: int) -> bytes:
    """What `docker save` of an image with one plain layer gives."""
    plain = _plain_layer(name, size)
    config = _config([_digest(plain)], {})
    entry = {"Config": "config.json", "RepoTags": [f"{name}:latest"], "Layers": ["layer.tar"]}
    return _tar({"config.json": config, "layer.tar": plain, "manifest.json": json.dumps([entry]).encode()})


def many() -> bytes:
    """An archive of small images that share one layer."""
    layer = _tar({"file": b"content"})
    diff_id = _digest(layer)
    files = {"layer.tar": layer}
    listed = []
    for number in range(LISTED):
        config = _config([diff_id], {"number": str(number)})
        files[f"{number}.json"] = config
        entry = {
            "Config": f"{number}.json",
            "RepoTags": [f"many/image{number}:latest"],
            "Layers": ["layer.tar"],
        }
        listed.append(entry)
    return _tar({**files, "manifest.json": json.dumps(listed).encode()})


def _config(diff_ids: list[str], labels: dict[str, str]) -> bytes:
    document = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2024-01-01T00:00:00Z",
        "config": {"Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created_by": "bench"} for _ in diff_ids],
    }
    return json.dumps(document).encode()


def _make(storage: Path, name: str, sizes: list[int]) -> None:
    """Writes an image into the registry's storage, as the registry itself lays it out."""
    layers, diff_ids = [], []
    for number, size in enumerate(sizes):
        diff_id, blob = _layer(f"{name}{number}", size)
        diff_ids.append(diff_id)
        layers.append({"mediaType": _LAYER_TYPE, "size": len(blob), "digest": _digest(blob)})
        _link(storage, name, "_layers", blob)
    config = _config(diff_ids, {})
    _link(storage, name, "_layers", config)
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST_TYPE,
        "config": {"mediaType": _CONFIG_TYPE, "size": len(config), "digest": _digest(config)},
        "layers": layers,
    }
    body = json.dumps(manifest).encode()
    _link(storage, name, "_manifests/revisions", body)
    _write(_repository(storage, name) / "_manifests/tags/latest/current/link", _digest(body).encode())


def _repository(storage: Path, name: str) -> Path:
    return storage / "docker/registry/v2/repositories" / name


def _link(storage: Path, name: str, kind: str, blob: bytes) -> None:
    digest = _digest(blob)
    hexadecimal = digest.removeprefix("sha256:")
    _write(storage / "docker/registry/v2/blobs/sha256" / hexadecimal[:2] / hexadecimal / "data", blob)
    _write(_repository(storage, name) / kind / "sha256" / hexadecimal / "link", digest.encode())


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _layer(seed: str, size: int) -> tuple[str, bytes]:
    """The diff ID of a layer, and its blob."""
    plain = _plain_layer(seed, size)
    packer = zlib.compressobj(6, wbits=31)
    return _digest(plain), packer.compress(plain) + packer.flush()


def _plain_layer(seed: str, size: int) -> bytes:
    """Files of all sizes, which compress to half of it."""
    chance = random.Random(seed)
    # What programs are made of: stretches that repeat, between stretches that do not.
    stretches = [chance.randbytes(400) + bytes(chance.choices(b"abcdefgh ", k=1600)) for _ in range(200)]
    files: dict[str, bytes] = {}
    left = size
    while left > 0:
        length = min(left, int(chance.paretovariate(0.9) * 2000), 20 * _MB)
        content = b"".join(chance.choices(stretches, k=length // 2000 + 1))[:length]
        files[f"{seed}/{len(files) // 100}/{len(files)}"] = content
        left -= length
    return _tar(files)


def _tar(files: dict[str, bytes]) -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return output.getvalue()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
