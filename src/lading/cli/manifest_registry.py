"""Manifests at registries, which the engine asks for us (docs/api-extensions.md)."""

from __future__ import annotations

import base64

from lading.cli.config.auths import registry_key
from lading.cli.config.store import credentials
from lading.cli.errors import CommandFailed
from lading.cli.manifest_list import ImageManifest
from lading.cli.reference import parse_reference
from lading.client import ApiError, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from lading.cli.reference import Reference
    from lading.cli.session import Session

_NOT_FOUND = 404
_NO_ROUTE = "page not found"


def normal_reference(text: str) -> Reference:
    """A name as users write it, with the default tag where it says none. Raises CommandFailed."""
    reference = parse_reference(text)
    if not reference.tag and not reference.digest:
        reference.tag = "latest"
    return reference


def fetch(session: Session, reference: Reference, insecure: bool) -> ImageManifest:
    """What a registry has under a name, which may be a list. Raises CommandFailed, ApiError."""
    try:
        found = _call(session, "GET", reference, insecure)
    except ApiError as refusal:
        if refusal.status == _NOT_FOUND:
            raise CommandFailed(f"no such manifest: {reference.full()}") from None
        raise
    return ImageManifest(reference.full(), found["Descriptor"], base64.b64decode(found["Raw"]))


def put(
    session: Session,
    reference: Reference,
    media_type: str,
    raw: bytes,
    mounts: Sequence[tuple[str, str]] = (),
    insecure: bool = False,
) -> str:
    """Gives a registry a manifest or a list; its digest.

    `mounts` are digests of blobs it needs, with the repository each lies in.
    Raises CommandFailed, ApiError.
    """
    body = {
        "MediaType": media_type,
        "Raw": base64.b64encode(raw).decode(),
        "Mounts": [{"Digest": digest, "Repository": repository} for digest, repository in mounts],
    }
    return str(_call(session, "POST", reference, insecure, body)["Digest"])


def _call(
    session: Session, method: str, reference: Reference, insecure: bool, body: Any = None
) -> dict[str, Any]:
    auth = credentials(session.config, registry_key(reference.domain))
    query = [("insecure", "1")] if insecure else []
    path = f"/lading/manifests/{reference.full()}"
    headers = (("X-Registry-Auth", auth.as_header()),)
    try:
        answer = session.client.stream(method, path, query, body, headers)
    except ApiError as refusal:
        if refusal.status == _NOT_FOUND and _NO_ROUTE in refusal.message:
            raise CommandFailed("this engine cannot ask registries for manifests") from None
        raise
    try:
        decoded: dict[str, Any] = loads(answer.read())
    finally:
        answer.close()
    return decoded
