"""`lading system check` on a running engine."""

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.engine.engine import IMAGE, Engine
from tests.images.rooms import digest_of, saved, tree

LAYER = tree({"etc/file": "content", "bin/other": "o"})


@pytest.fixture
def loaded(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine()
    engine.docker("load", input=saved("checked:1", [LAYER]))
    return engine


def stream(engine: Engine, parameters: str = "") -> list[dict[str, Any]]:
    status, answer = engine.send("POST", f"/lading/system/check?{parameters}")
    assert status == 200
    return [json.loads(line) for line in answer.splitlines()]


def place(engine: Engine, name: str = "checked:1") -> Path:
    return Path(engine.get(f"/images/{name}/json")["GraphDriver"]["Data"]["UpperDir"])


def test_the_stream(loaded: Engine) -> None:
    *progress, last = stream(loaded, "deep=1")
    assert {message["id"] for message in progress} == {"blobs", "layers"}
    for message in progress:
        detail = message["progressDetail"]
        assert 0 <= detail["current"] <= detail["total"]
        assert message["status"].startswith("Checking ")
    assert last == {"aux": {"Checked": {"Blobs": 4, "Layers": 2, "Images": 2}, "Findings": []}}
    status, answer = loaded.api("POST", "/v1.51/lading/system/check")
    assert status == 200, answer


def test_the_command_finds_and_repairs(loaded: Engine) -> None:
    assert loaded.lading("system", "check", "--deep").returncode == 0
    (place(loaded) / "etc/file").write_text("damaged")
    assert loaded.lading("system", "check").returncode == 0, "only a deep check reads what is in layers"
    found = loaded.lading("system", "check", "--deep", check=False)
    assert found.returncode != 0
    assert b"/etc/file" in found.stdout
    loaded.lading("system", "check", "--deep", "--repair")
    assert (place(loaded) / "etc/file").read_text() == "content"
    assert loaded.lading("system", "check", "--deep").returncode == 0


def test_under_a_running_container_nothing_is_touched(loaded: Engine) -> None:
    box = loaded.docker("run", "-d", IMAGE, "sleep", "1000").stdout.decode().strip()
    busybox = place(loaded, IMAGE) / "bin/busybox"
    busybox.chmod(0o700)
    *_, last = stream(loaded, "deep=1&repair=1")
    layer = next(finding for finding in last["aux"]["Findings"] if finding["Kind"] == "layer")
    assert (layer["Repairable"], layer["Repaired"]) == (True, False)
    assert loaded.docker("exec", box, "echo", "alive").stdout == b"alive\n"
    loaded.docker("rm", "-f", box)
    *_, last = stream(loaded, "deep=1&repair=1")
    assert [finding["Repaired"] for finding in last["aux"]["Findings"]] == [True]
    assert loaded.docker("run", "--rm", IMAGE, "echo", "again").stdout == b"again\n"


def test_what_was_lost_goes_with_its_names_and_may_come_again(loaded: Engine) -> None:
    config = loaded.get("/images/checked:1/json")["Id"]
    blobs = loaded.data_root / "content/blobs/sha256"
    for digest in (config, digest_of(LAYER)):
        (blobs / digest.removeprefix("sha256:")).write_bytes(b"damaged")
    shutil.rmtree(place(loaded))
    assert loaded.get("/images/json"), "one bad image keeps no other from being listed"
    *_, last = stream(loaded, "repair=1")
    image = next(finding for finding in last["aux"]["Findings"] if finding["Kind"] == "image")
    assert (image["Subject"], image["Repaired"]) == (config, True)
    assert "dropped with its names" in image["Problem"]
    assert loaded.api("GET", "/images/checked:1/json")[0] == 404
    loaded.docker("load", input=saved("checked:1", [LAYER]))
    assert stream(loaded, "deep=1")[-1]["aux"]["Findings"] == []


def test_it_may_run_while_others_load_and_remove(loaded: Engine) -> None:
    archives = [saved(f"name:{n}", [LAYER, tree({f"own{n}": "x" * 1000})]) for n in range(3)]
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            for number, archive in enumerate(archives):
                loaded.send("POST", "/images/load", archive, "application/x-tar")
                loaded.api("DELETE", f"/images/name:{number}")

    threads = [threading.Thread(target=busy) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(8):
            assert stream(loaded, "deep=1&repair=1")[-1]["aux"]["Findings"] == []
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert stream(loaded)[-1]["aux"]["Findings"] == []
