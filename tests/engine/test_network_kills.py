"""An engine that is killed amid changes of networks: afterwards links, rules, addresses and records agree."""

import contextlib
import http.client
import json
import os
import random
import subprocess
import threading
from pathlib import Path
from typing import Any

from tests.engine.engine import IMAGE, Engine, wait_for

_ROUNDS = 8


def _shake(engine: Engine, seed: int, over: threading.Event) -> None:
    """Makes and removes networks, connects and disconnects, until the engine is gone."""
    chance = random.Random(seed)
    with contextlib.suppress(OSError, http.client.HTTPException):
        while not over.is_set():
            name = f"shaken{chance.randrange(4)}"
            container = {"Container": f"steady{chance.randrange(2)}", "Force": True}
            deed = chance.randrange(4)
            if deed == 0:
                engine.api("POST", "/networks/create", {"Name": name})
            elif deed == 1:
                engine.api("DELETE", f"/networks/{name}")
            else:
                engine.api("POST", f"/networks/{name}/{('connect', 'disconnect')[deed - 2]}", container)


def _tables() -> set[str]:
    shown = subprocess.run(["nft", "list", "tables"], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1] for line in shown.splitlines()}


def _addresses(engine: Engine, name: str) -> set[str]:
    shown = engine.docker("exec", name, "ip", "-o", "-4", "addr").stdout.decode().splitlines()
    return {line.split()[3] for line in shown if " lo " not in line}


def _ours(before: set[str]) -> set[str]:
    return {name for name in os.listdir("/sys/class/net") if name.startswith("br-")} - before


def _check(engine: Engine) -> None:
    """What the API says is what there is."""
    members: dict[str, set[str]] = {"steady0": set(), "steady1": set()}
    for listed in engine.get("/networks"):
        network = engine.get(f"/networks/{listed['Id']}")
        if network["Driver"] != "bridge":
            continue
        bridge = network["Options"].get("com.docker.network.bridge.name") or f"br-{network['Id'][:12]}"
        assert f"lading-{bridge}" in _tables()
        links = {f"veth{each['EndpointID'][:7]}" for each in network["Containers"].values()}
        wait_for(lambda bridge=bridge, links=links: set(os.listdir(f"/sys/class/net/{bridge}/brif")) == links)
        for each in network["Containers"].values():
            members[each["Name"]].add(each["IPv4Address"])
    for name, addresses in members.items():
        assert _addresses(engine, name) == addresses
        joined: dict[str, Any] = engine.get(f"/containers/{name}/json")["NetworkSettings"]["Networks"]
        assert {f"{each['IPAddress']}/{each['IPPrefixLen']}" for each in joined.values()} == addresses


def test_kills_amid_changes_of_networks(tmp_path: Path) -> None:
    before = {name for name in os.listdir("/sys/class/net") if name.startswith("br-")}
    engine = Engine(tmp_path / "engine")
    try:
        engine.start()
        for number in range(2):
            engine.docker("run", "-d", "--name", f"steady{number}", IMAGE, "sleep", "600")
        for turn in range(_ROUNDS):
            over = threading.Event()
            shakers = [threading.Thread(target=_shake, args=(engine, turn * 10 + n, over)) for n in range(3)]
            for shaker in shakers:
                shaker.start()
            over.wait(random.Random(turn).uniform(0.05, 0.5))
            engine.kill()
            over.set()
            for shaker in shakers:
                shaker.join()
            engine.start()
            _check(engine)
        engine.remove_containers()
        for network in engine.get("/networks"):
            if network["Name"].startswith("shaken"):
                status, said = engine.api("DELETE", f"/networks/{network['Id']}")
                assert status == 204, json.dumps(said)
        bridges = {f"br-{network['Id'][:12]}" for network in engine.get("/networks")}
        # Others may be making networks on this machine.
        assert not bridges & _ours(before)
    finally:
        engine.destroy()
