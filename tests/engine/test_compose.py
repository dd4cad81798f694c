"""Compose v2's plugin brings up services on several networks, with volumes."""

import os
import shutil
from pathlib import Path

import pytest
from tests.engine.engine import IMAGE, Engine

_PROJECT = f"""
services:
  db:
    image: {IMAGE}
    command: ["httpd", "-f", "-p", "80", "-h", "/data"]
    volumes: ["data:/data"]
    networks:
      back:
        ipv4_address: 10.95.0.20
        aliases: [store]
  app:
    image: {IMAGE}
    command: ["sleep", "600"]
    depends_on: [db]
    networks: [front, back]
  web:
    image: {IMAGE}
    command: ["httpd", "-f", "-p", "80"]
    ports: ["80"]
    networks: [front]
networks:
  front: {{}}
  back:
    internal: true
    ipam: {{config: [{{subnet: 10.95.0.0/24}}]}}
volumes:
  data: {{}}
"""
_PLACES = (
    *("/usr/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins", "/usr/local/lib/docker/cli-plugins"),
    str(Path(__file__).parents[2] / ".cache" / "docker"),
)


def _plugin() -> str:
    """The plugin's path: one of the machine's, or what LADING_COMPOSE names."""
    named = os.environ.get("LADING_COMPOSE", "")
    found = [path for place in _PLACES if os.access(path := f"{place}/docker-compose", os.X_OK)]
    return named or (found[0] if found else "")


@pytest.mark.skipif(not _plugin(), reason="compose's plugin is not installed")
def test_three_services_on_two_networks(engine: Engine, tmp_path: Path) -> None:
    project = tmp_path / "compose.yaml"
    project.write_text(_PROJECT)
    plugins = engine.directory / "docker-config" / "cli-plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    os.symlink(_plugin(), plugins / "docker-compose")
    compose = ("compose", "-f", str(project), "-p", "three")
    try:
        engine.docker(*compose, "up", "-d")
        for name in ("web", "db", "store"):
            engine.docker("exec", "three-app-1", "ping", "-c", "1", "-w", "5", name)
        lost = engine.docker("exec", "three-web-1", "ping", "-c", "1", "-W", "1", "10.95.0.20", check=False)
        assert lost.returncode != 0, "networks are apart"
        unknown = engine.docker("exec", "three-web-1", "nslookup", "db", check=False)
        assert unknown.returncode != 0, "names of other networks are not known"
        assert engine.docker(*compose, "port", "web", "80").stdout.startswith(b"0.0.0.0:")
        # A second time there is nothing to do.
        before = engine.get("/containers/three-app-1/json")["Id"]
        engine.docker(*compose, "up", "-d")
        assert engine.get("/containers/three-app-1/json")["Id"] == before
    finally:
        engine.docker(*compose, "down", "-v", "-t", "0", check=False)
        shutil.rmtree(plugins)
    assert {network["Name"] for network in engine.get("/networks")} == {"bridge", "host", "none"}
    assert engine.get("/volumes")["Volumes"] == []
