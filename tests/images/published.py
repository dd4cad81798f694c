"""Images put into a registry piece by piece, right or wrong as a test wants them."""

import gzip
import json
import random
from collections.abc import Sequence
from typing import Any

from tests.registries import Registry

from lading.distribution import RegistrySettings

from .rooms import archived, configuration, digest_of

QUICK = RegistrySettings(attempts=3, timeout=5, pause=0.01, certificates=())
"""Three attempts, hardly a pause between them."""
OCI = "application/vnd.oci.image"
MANIFEST, INDEX = f"{OCI}.manifest.v1+json", f"{OCI}.index.v1+json"
CONFIG, GZIP = f"{OCI}.config.v1+json", f"{OCI}.layer.v1.tar+gzip"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"

Json = dict[str, Any]


def noise(seed: int, size: int = 2 << 20) -> bytes:
    """A layer with one file that no compression makes smaller."""
    return archived({f"noise-{seed}": random.Random(seed).randbytes(size)})


class Repository:
    """One repository of a test's own."""

    def __init__(self, registry: Registry, name: str) -> None:
        self._registry = registry
        self.name = name

    def blob(self, data: bytes, media_type: str) -> Json:
        """Uploads a blob; its descriptor."""
        status, headers, body = self._registry.request("POST", f"/v2/{self.name}/blobs/uploads/")
        assert status == 202, body
        where = headers["location"].removeprefix(self._registry.url)
        glue = "&" if "?" in where else "?"
        kind = {"Content-Type": "application/octet-stream"}
        path = f"{where}{glue}digest={digest_of(data)}"
        status, _, body = self._registry.request("PUT", path, data, kind)
        assert status == 201, body
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

    def document(self, document: Json, tag: str = "") -> Json:
        """Uploads a manifest or an index; its descriptor."""
        data = json.dumps(document).encode()
        path = f"/v2/{self.name}/manifests/{tag or digest_of(data)}"
        kind = {"Content-Type": document["mediaType"]}
        status, _, body = self._registry.request("PUT", path, data, kind)
        assert status == 201, body
        return {"mediaType": document["mediaType"], "digest": digest_of(data), "size": len(data)}

    def image(self, layers: Sequence[bytes], tag: str = "", **members: Any) -> Json:
        """Uploads an image with its layers compressed; the manifest's descriptor."""
        blobs = [self.blob(gzip.compress(layer, 1, mtime=0), GZIP) for layer in layers]
        return self.manifest(configuration(layers, **members), blobs, tag)

    def manifest(self, config: bytes, layers: Sequence[Json], tag: str = "", kind: str = MANIFEST) -> Json:
        config_type = CONFIG if kind == MANIFEST else "application/vnd.docker.container.image.v1+json"
        return self.document(
            {
                "schemaVersion": 2,
                "mediaType": kind,
                "config": self.blob(config, config_type),
                "layers": list(layers),
            },
            tag,
        )

    def index(self, manifests: Sequence[Json], tag: str = "") -> Json:
        return self.document({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests)}, tag)


def on(descriptor: Json, text: str) -> Json:
    """A descriptor for the platform os/arch[/variant]."""
    names = dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))
    return {**descriptor, "platform": names}
