"""Fetches an image and shows how far that is."""

from __future__ import annotations

from lading.cli.errors import CommandFailed
from lading.cli.progress import show
from lading.cli.reference import parse_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.client import Client

_NO_CREDENTIALS = "e30="  # base64url of {}


def pull(client: Client, image: str, platform: str, quiet: bool) -> None:
    """Returns when the engine has the image. Raises CommandFailed, ApiError."""
    reference = parse_reference(image)
    query = [("fromImage", reference.name), ("tag", reference.digest or reference.tag or "latest")]
    if platform:
        query.append(("platform", platform))
    answer = client.stream("POST", "/images/create", query, headers=(("X-Registry-Auth", _NO_CREDENTIALS),))
    try:
        failure = show(answer.objects(), descriptor=None if quiet else 2)
    finally:
        answer.close()
    if failure:
        raise CommandFailed(failure)
