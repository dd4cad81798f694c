"""kill -9 of the engine while images come and go: no image that lists is broken, and no garbage stays."""

import contextlib
import http.client
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine.engine import Engine
from tests.images.layouts import Layout
from tests.images.rooms import tree
from tests.registries import PROGRAM, Registry

KILLS = 100
pytestmark = pytest.mark.skipif(
    PROGRAM is None or shutil.which("skopeo") is None, reason="needs docker-registry and skopeo"
)


def _layer(name: str, size: int) -> bytes:
    chance = random.Random(name)
    return tree({f"{name}/{number}": chance.randbytes(size // 8) for number in range(8)})


def _archive(name: str, layers: list[bytes]) -> bytes:
    layout = Layout()
    layout.list(layout.image(layers), name)
    return layout.archive()


class Traffic:
    """Clients that pull, load, save, remove and prune all the time, but when they are held."""

    def __init__(self, engine: Engine, pulled: list[str], archives: list[bytes]) -> None:
        self._engine = engine
        self._pulled = pulled
        self._archives = archives
        self._go = threading.Event()
        self._over = threading.Event()
        self.done: dict[str, int] = {}
        deeds = (self._pull, self._pull, self._load, self._remove, self._tidy)
        self._threads = [
            threading.Thread(target=self._work, args=(deed, random.Random(seed)), daemon=True)
            for seed, deed in enumerate(deeds)
        ]
        for thread in self._threads:
            thread.start()

    def _work(self, deed: Callable[[random.Random], int], chance: random.Random) -> None:
        while not self._over.is_set():
            self._go.wait(1)
            if not self._go.is_set():
                continue
            with contextlib.suppress(OSError, http.client.HTTPException):
                if deed(chance) == 200:
                    self.done[deed.__name__] = self.done.get(deed.__name__, 0) + 1
            time.sleep(chance.uniform(0, 0.02))

    def _pull(self, chance: random.Random) -> int:
        name = chance.choice(self._pulled)
        status, told = self._engine.api("POST", f"/images/create?fromImage={name}&tag=latest")
        return 0 if "error" in str(told) else status

    def _load(self, chance: random.Random) -> int:
        return self._engine.send("POST", "/images/load", chance.choice(self._archives))[0]

    def _remove(self, chance: random.Random) -> int:
        listed = self._engine.get("/images/json?all=1")
        removable = [image for image in listed if "starter" not in str(image["RepoTags"])]
        return (
            self._engine.api("DELETE", f"/images/{chance.choice(removable)['Id']}?force=1")[0]
            if removable
            else 0
        )

    def _tidy(self, chance: random.Random) -> int:
        time.sleep(chance.uniform(0, 0.2))
        wish = '{"dangling":["false"],"label!":["keep"]}' if chance.random() < 0.3 else "{}"
        return self._engine.api("POST", f"/images/prune?filters={wish}")[0]

    def go(self) -> None:
        self._go.set()

    def hold(self) -> None:
        """What is under way is not waited for."""
        self._go.clear()

    def end(self) -> None:
        self._over.set()
        self._go.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry(tmp_path / "registry") as registry:
        yield registry


@pytest.mark.timeout(600)
def test_a_hundred_kills_while_images_come_and_go(
    new_engine: Callable[..., Engine], registry: Registry, tmp_path: Path
) -> None:
    shared = _layer("shared", 2_000_000)
    pulled = []
    for number in range(3):
        archive = tmp_path / "image.tar"
        archive.write_bytes(_archive("", [shared, _layer(f"pulled{number}", 1_000_000 << number)]))
        pulled.append(f"{registry.host}/image{number}")
        command = ["skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci-archive:{archive}"]
        subprocess.run([*command, f"docker://{pulled[-1]}:latest"], check=True)
    archives = [
        _archive(f"loaded{number}:latest", [shared, _layer(f"loaded{number}", 500_000)])
        for number in range(3)
    ]
    engine = new_engine()
    traffic = Traffic(engine, pulled, archives)
    chance = random.Random(11)
    try:
        for number in range(KILLS):
            traffic.go()
            time.sleep(chance.uniform(0.01, 0.4))
            traffic.hold()
            engine.kill()
            engine.start()
            assert engine.findings(f"deep={int(number % 10 == 9)}") == [], (number, engine.log())
    finally:
        traffic.end()
    assert all(traffic.done.get(deed) for deed in ("_pull", "_load", "_remove", "_tidy")), traffic.done
    _assert_nothing_stays(engine)


def _assert_nothing_stays(engine: Engine) -> None:
    """With every image gone nothing is on the disk but the starter image's."""
    for image in engine.get("/images/json?all=1"):
        if "starter" not in str(image["RepoTags"]):
            assert engine.api("DELETE", f"/images/{image['Id']}?force=1")[0] == 200
    assert engine.api("POST", "/images/prune")[0] == 200
    assert engine.stop() == 0
    engine.start()
    assert engine.findings() == []
    assert [path for path in (engine.data_root / "content/ingest").rglob("*") if path.is_file()] == []
    assert len(list((engine.data_root / "content/blobs/sha256").iterdir())) <= 3
