"""The tools of others, each with roots of its own, and what they hold an image to be."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from .layouts import Layout

BUSYBOX = "/bin/busybox"


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skips a test where a tool is not installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def run(*argv: str | Path) -> str:
    done = subprocess.run(
        [str(word) for word in argv], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout


class Tools:
    """podman and buildah share one storage below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        roots = ["--root", f"{root}/storage", "--runroot", f"{root}/run"]
        self._storage = [*roots, "--storage-driver", "vfs"]

    def podman(self, *words: str | Path) -> str:
        return run("podman", *self._storage, *words).strip()

    def buildah(self, *words: str | Path) -> str:
        return run("buildah", *self._storage, *words).strip()

    def built(self, name: str, lines: Sequence[str]) -> str:
        """Builds an image by podman from what lies in `root`/context, and gives its ID."""
        context = self.root / "context"
        context.mkdir(exist_ok=True)
        (context / "Containerfile").write_text("\n".join(lines) + "\n")
        self.podman(
            "build", "--isolation", "chroot", "-q", "-t", name, "-f", context / "Containerfile", context
        )
        return "sha256:" + self.podman("image", "inspect", "--format", "{{.Id}}", name)


def described_by_skopeo(reference: str) -> tuple[str, list[str]]:
    """Image ID and manifest as skopeo reads them, from one of its references."""
    manifest: dict[str, Any] = json.loads(run("skopeo", "inspect", "--raw", reference))
    return manifest["config"]["digest"], [layer["digest"] for layer in manifest["layers"]]


def unpacked_by_umoci(layout: Path, tag: str, into: Path) -> Path:
    """The root file system as umoci makes it of an image."""
    run("umoci", "unpack", "--keep-dirlinks", "--image", f"{layout}:{tag}", into)
    return into / "rootfs"


def packed_by_tar(directory: Path, *options: str) -> bytes:
    """A directory as a layer, by GNU tar."""
    return subprocess.run(
        ["tar", "-C", directory, "--sort=name", "--numeric-owner", *options, "-cf", "-", "."],
        capture_output=True,
        check=True,
    ).stdout


def packed_layout(directory: Path) -> bytes:
    """A layout directory as an archive."""
    return packed_by_tar(directory)


def written(layout: Layout, tag: str, root: Path) -> Path:
    """On the disk, under a tag as umoci wants it."""
    for path, data in layout.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    listed = [{**each, "annotations": {"org.opencontainers.image.ref.name": tag}} for each in layout.listed]
    (root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": listed}))
    return root


def copy_busybox(context: Path) -> None:
    context.mkdir(parents=True, exist_ok=True)
    shutil.copy(BUSYBOX, context / "busybox")
    os.chmod(context / "busybox", 0o755)
