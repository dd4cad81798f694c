"""What a registry has under a name: `GET /distribution/{name}/json`.

Source: Engine API 1.51, DistributionInspect; moby's api/server/router/distribution.
"""

from typing import Any

import msgspec

from lading.aio import tasks
from lading.distribution import Credentials, Registries, Repository
from lading.errors import InvalidParameter, LadingError
from lading.images.reference import parse, parse_id
from lading.oci import image as oci

Answer = dict[str, Any]

_MAX_CONFIG = 16 << 20


async def inspect(registries: Registries, name: str, credentials: Credentials | None) -> Answer:
    """The manifest or index under a name, and the platforms it is for. Raises LadingError."""
    if parse_id(name):
        raise LadingError("no manifest found for full image ID")
    reference = parse(name).tagged()
    repository = registries.repository(reference.domain, reference.path, credentials)
    try:
        return await tasks.in_own_thread(_inspect, repository, reference.digest or reference.tag)
    except BaseException:
        # The thread may be waiting for a registry that does not answer.
        repository.abort()
        raise


def _inspect(repository: Repository, which: str) -> Answer:
    found = repository.manifest(which)
    descriptor = {"mediaType": found.media_type, "digest": found.digest, "size": len(found.body)}
    if found.media_type in oci.INDEX_TYPES:
        index = oci.decode(oci.Index, found.body, "image index")
        platforms = [entry.platform or oci.Platform() for entry in index.manifests]
    else:
        manifest = oci.decode(oci.Manifest, found.body, "image manifest")
        platforms = platform_of(repository, manifest.config)
    # As Go shows them: these two also where nothing is known, and no list where there is nothing to list.
    shown = [{"architecture": "", "os": "", **msgspec.to_builtins(platform)} for platform in platforms]
    return {"Descriptor": descriptor, "Platforms": shown or None}


def platform_of(repository: Repository, config: oci.Descriptor) -> list[oci.Platform]:
    """That of the one image; none where its configuration is no image's."""
    try:
        document = oci.decode(oci.Image, _read(repository, config), "image configuration")
    except LadingError:
        return []
    if not document.os and not document.architecture:
        return []
    return [oci.Platform(document.architecture, document.os, document.variant, document.os_version)]


def _read(repository: Repository, descriptor: oci.Descriptor) -> bytes:
    reader = repository.blob(descriptor)
    body = bytearray()
    try:
        while piece := reader.read():
            body += piece
            if len(body) > _MAX_CONFIG:
                raise InvalidParameter("an image configuration of more than 16 MiB")
    finally:
        reader.close()
    if oci.digest_of(bytes(body)) != descriptor.digest:
        raise InvalidParameter(f"digest mismatch: expected {descriptor.digest}")
    return bytes(body)
