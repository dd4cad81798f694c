"""Manifests at registries, for whoever puts image lists together: `/lading/manifests/{name}`.

What docker's client asks registries itself, ours asks them through the engine,
which knows mirrors, proxies and certificates.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from lading.aio import tasks
from lading.distribution import Credentials, Registries, Repository
from lading.errors import InvalidParameter, LadingError
from lading.images.distribution import platform_of
from lading.images.reference import Reference, parse
from lading.oci import image as oci

Answer = dict[str, Any]
_Result = TypeVar("_Result")


class Mount(msgspec.Struct, rename="pascal"):
    """A blob the manifest needs, and the repository of the same registry that has it."""

    digest: str
    repository: str


class PutManifest(msgspec.Struct, rename="pascal", kw_only=True):
    """A manifest or an index for a registry; `raw` is its bytes in base64."""

    media_type: str
    raw: bytes
    mounts: list[Mount] = []


async def fetch(
    registries: Registries, name: str, credentials: Credentials | None, *, insecure: bool = False
) -> Answer:
    """What a registry has under a name: reference, descriptor and bytes. Raises LadingError.

    The descriptor of an image has the platform its configuration names.
    """
    reference = parse(name).tagged()

    def ask(repository: Repository) -> Answer:
        found = repository.manifest(reference.digest or reference.tag)
        descriptor: Answer = {"mediaType": found.media_type, "digest": found.digest, "size": len(found.body)}
        if found.media_type not in oci.INDEX_TYPES:
            manifest = oci.decode(oci.Manifest, found.body, "image manifest")
            platforms = platform_of(repository, manifest.config)
            descriptor |= {"platform": platform} if (platform := _first(platforms)) else {}
        raw = base64.b64encode(found.body).decode()
        return {"Reference": str(reference), "Descriptor": descriptor, "Raw": raw}

    return await _at(_allowing(registries, reference, insecure), reference, credentials, ask, push=False)


async def put(
    registries: Registries,
    name: str,
    wanted: PutManifest,
    credentials: Credentials | None,
    *,
    insecure: bool = False,
) -> str:
    """Puts a manifest under a name and gives its digest. Raises LadingError, InvalidParameter."""
    reference = parse(name).tagged()
    if reference.digest and oci.digest_of(wanted.raw) != reference.digest:
        raise InvalidParameter(f"digest mismatch: expected {reference.digest}")

    def ask(repository: Repository) -> str:
        _mount(repository, reference, wanted.mounts)
        return repository.put_manifest(reference.digest or reference.tag, wanted.raw, wanted.media_type)

    return await _at(_allowing(registries, reference, insecure), reference, credentials, ask, push=True)


def _mount(repository: Repository, reference: Reference, mounts: Sequence[Mount]) -> None:
    for blob in mounts:
        if repository.blob_size(blob.digest) is not None:
            continue
        if not repository.mount(blob.digest, blob.repository):
            source = f"{reference.domain}/{blob.repository}@{blob.digest}"
            raise LadingError(f"error mounting {source} to {reference}")


def _first(platforms: Sequence[oci.Platform]) -> Answer | None:
    return msgspec.to_builtins(platforms[0]) if platforms else None


def _allowing(registries: Registries, reference: Reference, insecure: bool) -> Registries:
    """The registries, this one without verification where the caller says so."""
    if not insecure:
        return registries
    settings = registries.settings
    return Registries(replace(settings, insecure=(*settings.insecure, reference.domain)))


async def _at(
    registries: Registries,
    reference: Reference,
    credentials: Credentials | None,
    ask: Callable[[Repository], _Result],
    *,
    push: bool,
) -> _Result:
    repository = registries.repository(reference.domain, reference.path, credentials, push=push)
    try:
        return await tasks.in_own_thread(ask, repository)
    except BaseException:
        # The thread may be waiting for a registry that does not answer.
        repository.abort()
        raise
