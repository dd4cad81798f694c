"""Fetches an image and shows how far that is."""

from __future__ import annotations

from lading.cli.errors import CommandFailed
from lading.cli.progress import show
from lading.cli.reference import parse_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.config.auths import Auth
    from lading.cli.reference import Reference
    from lading.cli.session import Session
    from lading.client import Streaming


def pull(session: Session, image: str, platform: str, quiet: bool) -> None:
    """Returns when the engine has the image a container needs. Raises CommandFailed, ApiError."""
    reference = parse_reference(image)
    fetch(session, reference, reference.digest or reference.tag or "latest", platform, None if quiet else 2)


def fetch(session: Session, reference: Reference, tag: str, platform: str, descriptor: int | None) -> None:
    """Pulls one tag or digest, or all tags where `tag` is "". Raises CommandFailed, ApiError."""
    from lading.cli.config.auths import registry_key
    from lading.cli.prompting import authorized

    query = [("fromImage", reference.name)]
    if tag:
        query.append(("tag", tag))
    if platform:
        query.append(("platform", platform.lower()))

    def request(auth: Auth) -> Streaming:
        headers = (("X-Registry-Auth", auth.as_header()),)
        return session.client.stream("POST", "/images/create", query, headers=headers)

    answer = authorized(session, registry_key(reference.domain), "pull", request)
    try:
        failure = show(answer.objects(), descriptor)
    finally:
        answer.close()
    if failure:
        raise CommandFailed(failure)
