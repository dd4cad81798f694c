"""OCI layouts and archives of all ages, built piece by piece, right or wrong."""

import gzip
import json
from collections.abc import Callable, Sequence
from typing import Any

from .rooms import archived, configuration, digest_of

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
CONTAINERD_NAME = "io.containerd.image.name"

Descriptor = dict[str, Any]
Compress = Callable[[bytes], bytes]


class Layout:
    """A layout under construction: blobs, and what `index.json` lists."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
        self.listed: list[Descriptor] = []

    def blob(self, data: bytes, media_type: str, **members: Any) -> Descriptor:
        self.files[f"blobs/sha256/{digest_of(data)[7:]}"] = data
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **members}

    def document(self, value: Any, media_type: str, **members: Any) -> Descriptor:
        return self.blob(json.dumps(value).encode(), media_type, **members)

    def image(
        self,
        layers: Sequence[bytes],
        architecture: str = "amd64",
        variant: str = "",
        compress: Compress | None = gzip.compress,
        **members: Any,
    ) -> Descriptor:
        """A manifest with its configuration and layers."""
        config = configuration(layers, architecture=architecture, variant=variant)
        kind = f"{LAYER}+gzip" if compress is gzip.compress else LAYER
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(config, CONFIG),
            "layers": [self.blob(compress(layer) if compress else layer, kind) for layer in layers],
        }
        return self.document(manifest, MANIFEST, **members)

    def for_platform(self, layers: Sequence[bytes], architecture: str, variant: str = "") -> Descriptor:
        """As an index lists it."""
        platform = {"os": "linux", "architecture": architecture}
        if variant:
            platform["variant"] = variant
        return self.image(layers, architecture, variant, platform=platform)

    def attestation(self, of: Descriptor) -> Descriptor:
        """What BuildKit lists beside an image."""
        statement = self.document({"statement": of["digest"]}, "application/vnd.in-toto+json")
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.document({"rootfs": {"diff_ids": [statement["digest"]]}}, CONFIG),
            "layers": [statement],
        }
        return self.document(
            manifest,
            MANIFEST,
            platform={"os": "unknown", "architecture": "unknown"},
            annotations={"vnd.docker.reference.type": "attestation-manifest"},
        )

    def index(self, manifests: Sequence[Descriptor], **members: Any) -> Descriptor:
        return self.document(
            {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}, INDEX, **members
        )

    def list(self, descriptor: Descriptor, name: str = "", key: str = CONTAINERD_NAME) -> None:
        annotations = {**descriptor.get("annotations", {}), **({key: name} if name else {})}
        self.listed.append({**descriptor, "annotations": annotations} if annotations else descriptor)

    def archive(self) -> bytes:
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.listed}
        return archived({**self.files, "index.json": json.dumps(index).encode()})


def config_id(layout: Layout, descriptor: Descriptor) -> str:
    """The image ID that a manifest stands for."""
    manifest = json.loads(layout.files[f"blobs/sha256/{descriptor['digest'][7:]}"])
    return str(manifest["config"]["digest"])


def many_platforms(
    name: str, layers: dict[str, Sequence[bytes]]
) -> tuple[Layout, Descriptor, dict[str, str]]:
    """One name for several architectures, with attestations as BuildKit writes them.

    Also the index, and the image IDs by architecture.
    """
    made = Layout()
    manifests = []
    ids = {}
    for shown, content in layers.items():
        manifests.append(made.for_platform(content, *shown.split("/")))
        ids[shown] = config_id(made, manifests[-1])
    manifests += [made.attestation(manifest) for manifest in list(manifests)]
    index = made.index(manifests)
    made.list(index, name)
    return made, index, ids
