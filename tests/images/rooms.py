"""The rooms an image needs, on a directory of their own; and archives to load."""

import asyncio
import hashlib
import io
import json
import os
import subprocess
import tarfile
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lading.content import Content
from lading.images import Images, make_context
from lading.snapshots import OverlaySnapshots
from lading.state import Database

Event = tuple[str, str, str, dict[str, str]]


class Rooms:
    """Content, snapshots and images as a daemon opens them. Inside a running loop."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "snapshots").mkdir(parents=True, exist_ok=True)
        self.events: list[Event] = []
        self.database = Database(str(root / "state.db"))
        self.content = Content(str(root / "content"), self.database)
        self.snapshots = OverlaySnapshots(str(root / "snapshots"), self.database)
        self.ctx = make_context(
            str(root), self.database, self.content, self.snapshots, lambda *event: self.events.append(event)
        )
        self.images = Images(self.ctx)
        self.content.open()
        self.snapshots.open()
        self.images.open()

    async def close(self) -> None:
        await self.images.close()
        await self.cleared()
        self.database.close()

    async def cleared(self) -> None:
        """Waits until what was removed is gone from the disk."""
        await self.content.close()
        await self.snapshots.close()

    async def settled(self) -> None:
        """Waits until what was loaded is on the disk."""
        while self.database.query("SELECT 1 FROM images WHERE unsettled != ''"):
            await asyncio.sleep(0.01)

    async def load(self, data: bytes | Path, quiet: bool = True) -> list[dict[str, Any]]:
        return [message async for message in self.images.load(streamed(data), quiet)]

    async def loaded(self, data: bytes | Path) -> str:
        """What docker prints after a load."""
        return "".join(message.get("stream", "") for message in await self.load(data))

    def files(self) -> list[str]:
        """Everything on the disk that belongs to images, but not what snapshots hold."""
        found = []
        for directory in (self.root / "content", self.root / "snapshots", self.root / "snapshots/.trash"):
            for path in directory.rglob("*") if directory.name == "content" else directory.iterdir():
                if directory.name != "content" or path.is_file():
                    found.append(str(path.relative_to(self.root)))
        return sorted(set(found) - {"snapshots/.empty", "snapshots/.trash"})

    def check(self) -> None:
        """Every image has all its layers and blobs, whole; nothing is there that nobody needs."""
        needed: set[str] = set()
        for shown in self.images.list(everything=True):
            image = self.images.resolve(shown["Id"])
            assert os.path.exists(self.content.path(image.id))
            for directory in self.snapshots.directories(image.chain_id):
                assert os.path.isdir(directory)
            needed.update(image.record.blobs)
        for digest in self.content.digests():
            data = Path(self.content.path(digest)).read_bytes()
            assert "sha256:" + hashlib.sha256(data).hexdigest() == digest
        needed.update(layer.blob_digest for layer in self.snapshots.layers())
        assert self.content.digests() == needed
        blobs = {path.name for path in (self.root / "content/blobs/sha256").iterdir()}
        assert blobs == {digest.removeprefix("sha256:") for digest in needed}
        assert [path for path in (self.root / "content/ingest").rglob("*") if path.is_file()] == []
        layers = {
            path for layer in self.snapshots.layers() for path in self.snapshots.directories(layer.chain_id)
        }
        present = {str(path) for path in (self.root / "snapshots").iterdir() if not path.name.startswith(".")}
        assert present == layers


async def streamed(data: bytes | Path, size: int = 65536) -> AsyncIterator[bytes]:
    source = io.BytesIO(data) if isinstance(data, bytes) else open(data, "rb")  # noqa: SIM115
    with source:
        while piece := source.read(size):
            yield piece


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tree(files: Mapping[str, bytes | str]) -> bytes:
    """A layer archive of files."""
    return archived({path: data.encode() if isinstance(data, str) else data for path, data in files.items()})


def archived(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def configuration(layers: Sequence[bytes], **members: Any) -> bytes:
    document = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2024-01-02T03:04:05.000000006Z",
        "config": {"Cmd": ["sh"]},
        "history": [{"created_by": f"step {number}", "comment": "c"} for number in range(len(layers))],
        "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
    }
    return json.dumps({**document, **members}).encode()


def saved(name: str | None, layers: Sequence[bytes], **members: Any) -> bytes:
    """What `docker save` makes of one image."""
    config = configuration(layers, **members)
    paths = [f"{digest_of(layer)[7:]}/layer.tar" for layer in layers]
    entry = {"Config": f"{digest_of(config)[7:]}.json", "RepoTags": [name] if name else None, "Layers": paths}
    files = dict(zip(paths, layers, strict=True))
    files[entry["Config"]] = config  # type: ignore[index]
    return archived({**files, "manifest.json": json.dumps([entry]).encode()})


def layout(root: Path, name: str, layers: Sequence[bytes], **members: Any) -> Path:
    """An OCI layout directory with one image whose layers are plain archives."""
    blobs = root / "blobs/sha256"
    blobs.mkdir(parents=True, exist_ok=True)

    def put(data: bytes, media_type: str) -> dict[str, Any]:
        (blobs / digest_of(data)[7:]).write_bytes(data)
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

    base = "application/vnd.oci.image"
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{base}.manifest.v1+json",
        "config": put(configuration(layers, **members), f"{base}.config.v1+json"),
        "layers": [put(layer, f"{base}.layer.v1.tar") for layer in layers],
    }
    entry = put(json.dumps(manifest).encode(), f"{base}.manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": name}
    (root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return root


def tarred(directory: Path, compression: str = "") -> bytes:
    options = [f"--{compression}"] if compression else []
    made = subprocess.run(
        ["tar", "-C", directory, *options, "-cf", "-", "."], capture_output=True, check=True
    )
    return made.stdout


def skopeo(*arguments: str) -> str:
    made = subprocess.run(["skopeo", *arguments], capture_output=True, text=True, check=True)
    return made.stdout
