"""Counts everything an engine could leave behind on its machine."""

import json
import os
import sqlite3
import subprocess
from dataclasses import dataclass

from tests.engine.engine import Engine


@dataclass(frozen=True)
class Census:
    """What exists on the machine on an engine's behalf, by container where that can be told."""

    mounted_roots: frozenset[str]
    container_directories: frozenset[str]
    bundles: frozenset[str]
    oci_containers: frozenset[str]
    cgroups: frozenset[str]
    links: int
    published: int
    writable_snapshots: frozenset[str]
    endpoints: frozenset[str]
    leases: int


def take(engine: Engine) -> Census:
    """The census of this moment."""
    return Census(
        mounted_roots=frozenset(
            mount.rsplit("/", 1)[1]
            for mount in engine.mounts()
            if mount.startswith(f"{engine.exec_root}/rootfs/")
        ),
        container_directories=_names(f"{engine.data_root}/containers"),
        bundles=_names(f"{engine.exec_root}/bundles"),
        oci_containers=_names(f"{engine.exec_root}/runtime/crun")
        | _names(f"{engine.exec_root}/runtime/runc"),
        cgroups=_cgroups(engine),
        links=_links(engine.bridge),
        published=_published(engine.bridge),
        writable_snapshots=_column(engine, "SELECT key FROM writable_snapshots"),
        endpoints=_column(engine, "SELECT container_id FROM endpoints"),
        leases=len(_column(engine, "SELECT proto || host_ip || port FROM port_leases")),
    )


def _names(directory: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(directory))
    except FileNotFoundError:
        return frozenset()


def _cgroups(engine: Engine) -> frozenset[str]:
    """Groups of this engine's containers; others may share the parent."""
    known = _column(engine, "SELECT id FROM containers") | engine.ever_created
    roots = ["/sys/fs/cgroup", *(entry.path for entry in os.scandir("/sys/fs/cgroup") if entry.is_dir())]
    found = {name for root in roots for name in _names(f"{root}/lading")}
    return frozenset(found & known)


def _links(bridge: str) -> int:
    shown = subprocess.run(
        ["ip", "-json", "link", "show", "master", bridge], check=False, capture_output=True
    ).stdout
    return len(json.loads(shown or b"[]"))


def _published(bridge: str) -> int:
    shown = subprocess.run(
        ["nft", "-j", "list", "table", "inet", f"lading-{bridge}"], check=True, capture_output=True
    ).stdout
    maps = [entry["map"] for entry in json.loads(shown)["nftables"] if "map" in entry]
    return sum(len(entry.get("elem", ())) for entry in maps)


def _column(engine: Engine, sql: str) -> frozenset[str]:
    with sqlite3.connect(f"file:{engine.data_root}/state.db?mode=ro", uri=True) as database:
        return frozenset(str(row[0]) for row in database.execute(sql))
