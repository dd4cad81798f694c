"""Manifests fetched and put for a client, registries that are verified and ones that are not."""

import asyncio
import hashlib
import json

import pytest
from tests.registries import Registry, needs_registry

from lading.distribution import Registries, RegistrySettings
from lading.errors import InvalidParameter, LadingError, NotFound
from lading.images import remote_manifests
from lading.images.remote_manifests import Mount, PutManifest

pytestmark = needs_registry

INDEX = "application/vnd.oci.image.index.v1+json"
BODY = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode()
DIGEST = "sha256:" + hashlib.sha256(BODY).hexdigest()


def _registries() -> Registries:
    """That take nobody's word, not even on loopback."""
    return Registries(RegistrySettings(insecure=(), attempts=1, timeout=5.0, pause=0.0))


def test_only_who_says_so_goes_without_encryption(registry: Registry) -> None:
    registries, name = _registries(), f"{registry.host}/app:1"
    wanted = PutManifest(media_type=INDEX, raw=BODY)
    with pytest.raises(LadingError):
        asyncio.run(remote_manifests.put(registries, name, wanted, None))
    assert asyncio.run(remote_manifests.put(registries, name, wanted, None, insecure=True)) == DIGEST
    found = asyncio.run(remote_manifests.fetch(registries, name, None, insecure=True))
    assert found["Descriptor"] == {"mediaType": INDEX, "digest": DIGEST, "size": len(BODY)}
    # Once is not always.
    with pytest.raises(LadingError):
        asyncio.run(remote_manifests.fetch(registries, name, None))


def test_what_is_not_there(registry: Registry) -> None:
    with pytest.raises(NotFound):
        asyncio.run(remote_manifests.fetch(_registries(), f"{registry.host}/app:none", None, insecure=True))


def test_a_digest_that_is_another_ones(registry: Registry) -> None:
    name = f"{registry.host}/app@sha256:{'0' * 64}"
    with pytest.raises(InvalidParameter, match="digest mismatch"):
        asyncio.run(remote_manifests.put(_registries(), name, PutManifest(media_type=INDEX, raw=BODY), None))


def test_a_blob_that_nobody_has(registry: Registry) -> None:
    blob = "sha256:" + "1" * 64
    wanted = PutManifest(media_type=INDEX, raw=BODY, mounts=[Mount(blob, "other")])
    put = remote_manifests.put(_registries(), f"{registry.host}/app:2", wanted, None, insecure=True)
    with pytest.raises(LadingError, match=f"error mounting {registry.host}/other@{blob} to .*/app:2"):
        asyncio.run(put)
