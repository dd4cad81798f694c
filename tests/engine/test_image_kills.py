"""An engine killed amid whatever it does with images comes back with whole images and no garbage."""

import contextlib
import http.client
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine.engine import Engine
from tests.images.rooms import saved, tree
from tests.registries import PROGRAM, Registry

KILLS = 20


class Client:
    """Does at random what one can do with images, until the engine is gone."""

    def __init__(self, engine: Engine, archives: list[bytes], registry: str, seed: int) -> None:
        self._engine = engine
        self._registry = registry
        self._archives = archives
        self._chance = random.Random(seed)
        self._deeds = [self._load, self._load, self._remove, self._prune, self._prune_all]
        self._deeds += [self._create, self._remove_container, self._commit]
        if registry:
            self._deeds += [self._pull, self._pull, self._pull, self._pull, self._push]
        self.done = 0

    def run(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                self._chance.choice(self._deeds)()
                self.done += 1

    def _images(self) -> list[str]:
        images = self._engine.api("GET", "/images/json?all=1")[1]
        return [image["Id"] for image in images if "box" not in str(image["RepoTags"])]

    def _load(self) -> None:
        self._engine.send(
            "POST", "/images/load?quiet=1", self._chance.choice(self._archives), "application/x-tar"
        )

    def _pull(self) -> None:
        name = f"{self._registry}/image{self._chance.randrange(4)}"
        self._engine.send("POST", f"/images/create?fromImage={name}&tag=1")

    def _push(self) -> None:
        for image in self._images()[:1]:
            name = f"{self._registry}/pushed"
            self._engine.api("POST", f"/images/{image}/tag?repo={name}&tag=1")
            self._engine.send("POST", f"/images/{name}/push?tag=1")

    def _remove(self) -> None:
        for image in self._images()[:1]:
            self._engine.api("DELETE", f"/images/{image}?force=1")

    def _prune(self) -> None:
        self._engine.api("POST", "/images/prune")

    def _prune_all(self) -> None:
        self._engine.api("POST", '/images/prune?filters={"dangling":{"false":true}}')

    def _create(self) -> None:
        for image in self._images()[-1:]:
            self._engine.api("POST", "/containers/create", {"Image": image, "Cmd": ["x"]})

    def _remove_container(self) -> None:
        for container in self._engine.api("GET", "/containers/json?all=1")[1][:1]:
            self._engine.api("DELETE", f"/containers/{container['Id']}?force=1")

    def _commit(self) -> None:
        for container in self._engine.api("GET", "/containers/json?all=1")[1][-1:]:
            tag = self._chance.randrange(3)
            self._engine.api("POST", f"/commit?container={container['Id']}&repo=made&tag={tag}", {})


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """The address of a registry, or nothing where there is no program for one."""
    if PROGRAM is None:
        yield ""
        return
    with Registry(tmp_path / "registry") as running:
        yield running.url.removeprefix("http://")


def test_killed_twenty_times(new_engine: Callable[..., Engine], registry: str) -> None:
    chance = random.Random(11)
    shared = tree({f"shared/{number}": chance.randbytes(3000) for number in range(300)})
    layers = [tree({f"{n}/{number}": chance.randbytes(2000) for number in range(200)}) for n in range(4)]
    names = [f"{registry or 'local'}/image{n}:1" for n in range(len(layers))]
    archives = [saved(name, [shared, layer]) for name, layer in zip(names, layers, strict=True)]
    archives.append(saved(None, [shared, *layers]))
    engine = new_engine()
    for name, archive in zip(names, archives, strict=False):
        engine.docker("load", input=archive)
        if registry:
            engine.docker("push", name)
    assert engine.findings() == []
    done = 0
    for kill in range(KILLS):
        clients = [Client(engine, archives, registry, kill * 10 + number) for number in range(3)]
        threads = [threading.Thread(target=client.run) for client in clients]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.02, 0.5))
        engine.kill()
        for thread in threads:
            thread.join()
        done += sum(client.done for client in clients)
        engine.start()
        assert engine.findings() == [], f"after kill {kill}"
    assert done > KILLS, "the clients did next to nothing"
