"""Images as large as real ones: a Debian of more than 100 MB, and more layers than anybody counts."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..images.rooms import configuration, digest_of, saved, tree
from .engine import Engine, wait_for

PROGRAMS = ("bash", "find", "sha256sum", "wc", "stat")
# Some of it are hard links.
_LEAST = 130_000_000


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = Engine(tmp_path_factory.mktemp("big"))
    made.start()
    yield made
    made.destroy()


def _libraries(program: str) -> set[str]:
    shown = subprocess.run(["ldd", f"/usr/bin/{program}"], capture_output=True, text=True, check=True).stdout
    return {word for line in shown.splitlines() for word in line.split() if word.startswith("/")}


def _debian() -> list[str]:
    """Files of this machine, which is a Debian: programs, what they need, and as much else as it takes."""
    chosen = {"/lib", "/lib64", *(f"/usr/bin/{program}" for program in PROGRAMS)}
    for program in PROGRAMS:
        for library in _libraries(program):
            directory, name = os.path.split(library)
            chosen |= {os.path.realpath(library), f"{os.path.realpath(directory)}/{name}"}
    size = sum(os.lstat(path).st_size for path in chosen)
    for top in ("/usr/bin", "/usr/share", "/usr/lib"):
        for directory, _, names in os.walk(top):
            for name in names:
                path = f"{directory}/{name}"
                found = os.lstat(path)
                if size > _LEAST:
                    return sorted(chosen)
                if path not in chosen and found.st_size < 5_000_000:
                    chosen.add(path)
                    size += found.st_size
    pytest.skip("this machine has not enough files")


def _packed(paths: list[str]) -> bytes:
    return subprocess.run(
        ["tar", "-C", "/", "--numeric-owner", "--no-recursion", "-cf", "-", "-T", "-"],
        input="".join(f"{path[1:]}\n" for path in paths).encode(),
        capture_output=True,
        check=True,
    ).stdout


def test_a_debian_loads_and_runs(engine: Engine, tmp_path: Path) -> None:
    paths = _debian()
    layer = _packed(paths)
    archive = tmp_path / "debian.tar"
    archive.write_bytes(saved("debian:here", [layer]))
    assert archive.stat().st_size > 100_000_000
    assert (
        engine.docker("load", "-q", "-i", str(archive), timeout=120).stdout == b"Loaded image: debian:here\n"
    )
    assert int(engine.docker("image", "inspect", "-f", "{{.Size}}", "debian:here").stdout) > 100_000_000
    looked_at = [
        path for path in paths[:: len(paths) // 40] if os.path.isfile(path) and not os.path.islink(path)
    ]
    said = engine.docker(
        "run", "--rm", "debian:here", "/usr/bin/bash", "-c",
        'find / -xdev -not -type d | wc -l; for f in "$@"; do sha256sum "$f"; done', "-", *looked_at,
    ).stdout.decode().splitlines()  # fmt: skip
    expected = [f"{hashlib.sha256(Path(path).read_bytes()).hexdigest()}  {path}" for path in looked_at]
    assert said[1:] == expected
    # A few files more: those that every container gets.
    assert len(paths) <= int(said[0]) < len(paths) + 20
    engine.docker("rmi", "debian:here")
    wait_for(lambda: not os.listdir(engine.data_root / "snapshots/.trash"))


def _busybox() -> bytes:
    return subprocess.run(
        ["tar", "-C", "/", "--transform", "s,.*busybox,bin/busybox,", "-chf", "-", "bin/busybox"],
        capture_output=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("count", [70, 200])
def test_many_layers(engine: Engine, tmp_path: Path, count: int) -> None:
    layers = [_busybox()]
    for number in range(count - 1):
        files = {f"etc/l{number}": str(number), "etc/last": str(number)}
        if number:
            files[f"etc/.wh.l{number - 1}"] = ""
        layers.append(tree(files))
    archive = tmp_path / "layers.tar"
    archive.write_bytes(saved(f"layers:{count}", layers))
    engine.docker("load", "-q", "-i", str(archive))
    inspected = engine.get(f"/images/layers:{count}/json")
    assert inspected["RootFS"]["Layers"] == [digest_of(layer) for layer in layers]
    assert inspected["Id"] == digest_of(configuration(layers))
    said = engine.docker(
        "run", "--name", f"many{count}", f"layers:{count}", "/bin/busybox", "sh", "-c",
        "cd /etc; echo l*; /bin/busybox cat last; echo new > last",
    ).stdout  # fmt: skip
    assert said == f"l{count - 2} last\n{count - 2}".encode()
    assert b"C /etc/last" in engine.docker("diff", f"many{count}").stdout
    engine.docker("rm", f"many{count}")
