"""An engine killed amid whatever it does with images comes back with whole images and no garbage."""

import contextlib
import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.engine.engine import Engine
from tests.images.rooms import saved, tree

KILLS = 20


def findings(engine: Engine, parameters: str = "deep=1") -> list[dict[str, Any]]:
    status, answer = engine.send("POST", f"/lading/system/check?{parameters}")
    assert status == 200, answer
    report = json.loads(answer.splitlines()[-1])["aux"]
    found: list[dict[str, Any]] = report["Findings"]
    return found


class Client:
    """Does at random what one can do with images, until the engine is gone."""

    def __init__(self, engine: Engine, archives: list[bytes], seed: int) -> None:
        self._engine = engine
        self._archives = archives
        self._chance = random.Random(seed)
        self._deeds = [self._load, self._load, self._remove, self._prune, self._prune_all]
        self._deeds += [self._create, self._remove_container, self._commit]
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


def test_killed_twenty_times(new_engine: Callable[..., Engine]) -> None:
    chance = random.Random(11)
    shared = tree({f"shared/{number}": chance.randbytes(3000) for number in range(300)})
    layers = [tree({f"{n}/{number}": chance.randbytes(2000) for number in range(200)}) for n in range(4)]
    archives = [saved(f"image{n}", [shared, layer]) for n, layer in enumerate(layers)]
    archives.append(saved(None, [shared, *layers]))
    engine = new_engine()
    assert findings(engine) == []
    done = 0
    for kill in range(KILLS):
        clients = [Client(engine, archives, kill * 10 + number) for number in range(3)]
        threads = [threading.Thread(target=client.run) for client in clients]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.02, 0.5))
        engine.kill()
        for thread in threads:
            thread.join()
        done += sum(client.done for client in clients)
        engine.start()
        assert findings(engine) == [], f"after kill {kill}"
    assert done > KILLS, "the clients did next to nothing"
