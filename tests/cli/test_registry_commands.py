"""Logging in, pushing, pulling and logging out on a real engine, with a real registry and beside docker.

Both programs share one config.json: what one wrote, the other must understand.
"""

import base64
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from tests.engine.engine import IMAGE, Engine, docker_cli
from tests.registries import PASSWORD, USER, Registry, TokenServer, needs_registry

pytestmark = [needs_registry, pytest.mark.skipif(os.geteuid() != 0, reason="engines need root")]

LADING = str(Path(sys.executable).parent / "lading")

Command = Callable[..., Any]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry(tmp_path / "registry", auth="htpasswd") as running:
        yield running


@pytest.fixture
def commands(engine: Engine) -> Iterator[dict[str, Command]]:
    """Both command lines, logged in nowhere; what they put into the engine goes afterwards."""
    config = engine.directory / "docker-config" / "config.json"
    before = {name for image in engine.get("/images/json") for name in image["RepoTags"]}
    config.unlink(missing_ok=True)
    yield {"lading": engine.lading, "docker": engine.docker}
    config.unlink(missing_ok=True)
    for image in engine.get("/images/json"):
        for name in {*image["RepoTags"], *image["RepoDigests"]} - before:
            if "127.0.0.1:" in name:
                engine.api("DELETE", f"/images/{name}")


def log_in(command: Command, registry: Registry) -> Any:
    return command("login", "-u", USER, "--password-stdin", registry.host, input=f"{PASSWORD}\n".encode())


def settings(engine: Engine) -> Any:
    return json.loads((engine.directory / "docker-config" / "config.json").read_text())


@pytest.mark.parametrize(("first", "second"), [("lading", "docker"), ("docker", "lading")])
def test_one_logs_in_and_the_other_is_known(
    first: str, second: str, engine: Engine, commands: dict[str, Command], registry: Registry
) -> None:
    name = f"{registry.host}/some/image:1"
    engine.lading("tag", IMAGE, name)
    refused = commands[second]("push", name, check=False)
    assert refused.returncode == 1
    assert b"no basic auth credentials" in refused.stderr

    assert log_in(commands[first], registry).stdout == b"Login Succeeded\n"
    again = commands[second]("login", registry.host)
    assert again.stdout.endswith(b"Login Succeeded\n")
    assert b"with existing credentials" in again.stdout + again.stderr
    commands[second]("push", name)
    engine.api("DELETE", f"/images/{name}")
    assert commands[second]("pull", "-q", name).stdout.decode() == f"{name}\n"

    commands[second]("logout", registry.host)
    assert settings(engine)["auths"] == {}
    assert commands[first]("pull", name, check=False).returncode == 1


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_wrong_password(
    password: str, commands: dict[str, Command], registry: Registry, engine: Engine
) -> None:
    said = []
    for name in ("docker", "lading"):
        done = commands[name](
            "login", "-u", USER, "--password-stdin", registry.host, input=password.encode(), check=False
        )
        assert done.returncode == 1
        said.append(done.stderr)
    assert said[0] == said[1]


def test_identity_tokens(commands: dict[str, Command], engine: Engine, tmp_path: Path) -> None:
    with TokenServer(tmp_path) as server, Registry(tmp_path / "registry", auth=server) as registry:
        name = f"{registry.host}/private/image:1"
        engine.lading("tag", IMAGE, name)
        log_in(engine.lading, registry)
        for command in commands.values():
            command("push", name)
            command("pull", name)


def plain(text: bytes) -> str:
    """Without what differs from one pull to the next: the order in which layers are through."""
    lines = text.decode().splitlines()
    layers = [line for line in lines if re.match(r"[0-9a-f]{12}: ", line)]
    # A layer that was quick says less on its way.
    last = dict(line.split(": ", 1) for line in layers)
    return "\n".join([*(line for line in lines if line not in layers), *map(str, sorted(last.items()))])


@pytest.mark.parametrize("words", [("push",), ("push", "-q"), ("push", "-a")])
def test_a_push_says_what_dockers_says(
    words: tuple[str, ...], engine: Engine, commands: dict[str, Command], tmp_path: Path
) -> None:
    said = {}
    for program, command in commands.items():
        with Registry(tmp_path / program, auth="htpasswd") as registry:
            log_in(engine.lading, registry)
            name = f"{registry.host}/some/image"
            for tag in ("1", "2"):
                engine.lading("tag", IMAGE, f"{name}:{tag}")
            done = command(*words, name if "-a" in words else f"{name}:1")
            said[program] = plain(done.stdout).replace(registry.host, "REGISTRY"), done.stderr
            assert registry_tags(registry, "some/image") == (["1", "2"] if "-a" in words else ["1"])
    assert said["lading"] == said["docker"]


def registry_tags(registry: Registry, name: str) -> list[str]:
    credentials = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    _, _, body = registry.request(
        "GET", f"/v2/{name}/tags/list", None, {"Authorization": f"Basic {credentials}"}
    )
    return sorted(json.loads(body)["tags"])


@pytest.mark.parametrize("words", [("pull",), ("pull", "-q"), ("pull", "-a")])
def test_a_pull_says_what_dockers_says(
    words: tuple[str, ...], engine: Engine, commands: dict[str, Command], registry: Registry
) -> None:
    log_in(engine.lading, registry)
    name = f"{registry.host}/some/image"
    tags = ("latest", "v2")
    for tag in tags:
        engine.lading("tag", IMAGE, f"{name}:{tag}")
        engine.lading("push", "-q", f"{name}:{tag}")
    said = {}
    for program in ("lading", "docker"):
        for tag in tags:
            engine.api("DELETE", f"/images/{name}:{tag}")
        first = commands[program](*words, name)
        again = commands[program](*words, name)
        said[program] = plain(first.stdout), plain(again.stdout), first.stderr
    assert said["lading"] == said["docker"]


def test_a_container_pulls_what_it_is_made_of(
    engine: Engine, commands: dict[str, Command], registry: Registry
) -> None:
    log_in(engine.docker, registry)
    name = f"{registry.host}/some/image:1"
    engine.lading("tag", IMAGE, name)
    engine.lading("push", name)
    for pull, code in (("never", 125), ("missing", 0), ("never", 0), ("always", 0)):
        if (pull, code) != ("never", 0):
            engine.api("DELETE", f"/images/{name}")
        done = engine.lading("run", "--rm", "--pull", pull, name, "echo", "hello", check=False)
        assert (done.returncode, done.stdout) == (code, b"" if code else b"hello\n"), done.stderr
        assert (b"Status: " in done.stderr) == (pull in ("missing", "always"))
    engine.lading("logout", registry.host)
    refused = engine.lading("run", "--rm", "--pull", "always", name, "true", check=False)
    assert refused.returncode == 125
    assert b"no basic auth credentials" in refused.stderr


def test_a_terminal_ends_with_every_layer_done(
    engine: Engine, commands: dict[str, Command], registry: Registry
) -> None:
    log_in(engine.lading, registry)
    name = f"{registry.host}/some/image:1"
    engine.lading("tag", IMAGE, name)
    engine.lading("push", name)
    endings = []
    for program in (docker_cli(), LADING):
        engine.api("DELETE", f"/images/{name}")
        session = pexpect.spawn(
            program,
            ["pull", name],
            env=engine.environment,
            timeout=30,
            dimensions=(24, 120),
            encoding="utf-8",
        )
        session.expect(pexpect.EOF)
        session.close()
        assert session.exitstatus == 0, session.before
        text = session.before
        # What stands in the rows of layers in the end, and everything that is not about layers.
        final = dict(re.findall(r"\x1b\[2K\r([0-9a-f]{12}): ([A-Z][a-z]+(?: [a-z]+)*)", text))
        endings.append((final, re.findall(r"^[A-Z1-9].*$", text, re.M)))
    assert endings[1] == endings[0]
