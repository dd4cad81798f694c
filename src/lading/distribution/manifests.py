"""Manifests and indexes: fetched, described, put, and tags listed.

Source: distribution specification 1.1, "Pulling manifests", "Pushing Manifests", "Listing Tags".
"""

import re
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec

from lading.distribution.answers import Refusal
from lading.distribution.session import Session
from lading.distribution.transport import Answer, Request
from lading.distribution.values import Fetched, Interrupted
from lading.errors import InvalidParameter, LadingError, NotFound
from lading.oci.image import DOCKER_INDEX, DOCKER_MANIFEST, INDEX, MANIFEST, Descriptor, digest_of, is_digest

LIMIT = 4 * 1024 * 1024
"""Bytes of the longest manifest; the specification has registries take so many at least."""
ACCEPT = (MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_INDEX)
_SCHEMA1 = (
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
)
_IS_NEXT = re.compile(r';\s*rel\s*=\s*"?next"?', re.IGNORECASE)
_TAGS_LIMIT = 16 * 1024 * 1024
"""Bytes of all pages together."""
_PAGE = 1000
_MOST_PAGES = 10_000


class _Kind(msgspec.Struct, rename="camel"):
    media_type: str = ""
    schema_version: int = 0
    manifests: Any = None


class _Tags(msgspec.Struct):
    tags: list[str] | None = None


def fetch(session: Session, reference: str, accept: Collection[str]) -> Fetched:
    """By tag or digest. Raises NotFound, Unauthorized, Forbidden, Interrupted, LadingError."""
    wanted = is_digest(reference)
    request = Request("GET", _path(session, reference), {"Accept": ", ".join(accept or ACCEPT)})
    # A manifest is small, so a broken body is fetched anew rather than gone on with.
    for attempt in range(1, session.attempts + 1):
        answer = session.ask(request, (200,))
        if answer.status != 200:
            raise _pull_error(session, reference, session.refused(answer))
        try:
            body = answer.whole(LIMIT)
            break
        except Interrupted:
            if attempt == session.attempts:
                raise
            session.again(attempt)
    if body is None:
        raise InvalidParameter(f"manifest of {_named(session, reference)} is longer than {LIMIT} bytes")
    digest = digest_of(body)
    if wanted and digest != reference:
        raise LadingError(f"manifest verification failed for digest {reference}")
    _check_told(answer, digest, reference)
    return Fetched(_media_type(answer, body, session, reference), digest, body)


def _check_told(answer: Answer, digest: str, reference: str) -> None:
    """Raises LadingError where the registry itself names another digest than the body has."""
    told = answer.headers.get("Docker-Content-Digest", "")
    if is_digest(told) and told != digest:
        raise LadingError(f"manifest verification failed for digest {told}: {reference} has {digest}")


def _media_type(answer: Answer, body: bytes, session: Session, reference: str) -> str:
    told = _content_type(answer)
    try:
        kind = msgspec.json.decode(body, type=_Kind)
    except msgspec.MsgspecError as error:
        raise InvalidParameter(f"invalid manifest of {_named(session, reference)}: {error}") from None
    if told in _SCHEMA1 or kind.schema_version == 1:
        raise InvalidParameter(
            "Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. "
            f"Suggest the author of {_qualified(session.whole_name, reference)} to upgrade the image to the "
            "OCI Format or Docker Image manifest v2, schema 2. More information at https://docs.docker.com/go/deprecated-image-specs/"
        )
    if kind.media_type and told not in ACCEPT:
        return kind.media_type
    if told in ACCEPT:
        return told
    return INDEX if kind.manifests is not None else MANIFEST


def _content_type(answer: Answer) -> str:
    return str(answer.headers.get("Content-Type", "")).partition(";")[0].strip()


def describe(session: Session, reference: str) -> Descriptor:
    """By HEAD, or by fetching it where the answer does not tell."""
    request = Request("HEAD", _path(session, reference), {"Accept": ", ".join(ACCEPT)})
    answer = session.ask(request, (200,))
    told = answer.headers.get("Docker-Content-Digest", "")
    media_type = _content_type(answer)
    length = answer.length
    answer.drop()
    if answer.status == 200 and is_digest(told) and length >= 0 and media_type in ACCEPT:
        if is_digest(reference) and told != reference:
            raise LadingError(f"manifest verification failed for digest {reference}")
        return Descriptor(media_type=media_type, digest=told, size=length)
    # An answer to HEAD has no body: only GET says why not.
    fetched = fetch(session, reference, ())
    return Descriptor(media_type=fetched.media_type, digest=fetched.digest, size=len(fetched.body))


def put(session: Session, reference: str, body: bytes, media_type: str) -> str:
    """Gives the manifest's digest. Raises what the registry's refusal means."""
    request = Request("PUT", _path(session, reference), {"Content-Type": media_type}, body)
    answer = session.ask(request, (201,))
    if answer.status not in (200, 201, 202):
        raise session.refused(answer).error()
    answer.drop()
    return digest_of(body)


def tags(session: Session) -> Iterator[str]:
    """Every tag, page by page. Raises as `fetch`."""
    path = f"/v2/{session.name}/tags/list?{urlencode({'n': _PAGE})}"
    seen: set[str] = set()
    left = _TAGS_LIMIT
    while path and path not in seen:
        seen.add(path)
        if len(seen) > _MOST_PAGES:
            raise LadingError(f"the list of tags of {session.shown} has more than {_MOST_PAGES} pages")
        answer = session.ask(Request("GET", path), (200,))
        if answer.status != 200:
            raise _pull_error(session, "", session.refused(answer))
        body = answer.whole(left)
        if body is None:
            raise LadingError(f"the list of tags of {session.shown} is longer than {_TAGS_LIMIT} bytes")
        try:
            page = msgspec.json.decode(body, type=_Tags).tags or []
        except msgspec.MsgspecError as error:
            raise LadingError(f"invalid list of tags of {session.shown}: {error}") from None
        left -= len(body)
        yield from page
        path = _next(answer) if page else ""


def _next(answer: Answer) -> str:
    """The next page's path. Another host's would be none of this registry's. Raises LadingError."""
    links = [link for field in answer.headers.getlist("Link") for link in str(field).split("<")[1:]]
    parted = (link.partition(">") for link in links)
    address = next((address for address, _, rest in parted if _IS_NEXT.search(rest)), None)
    if address is None:
        return ""
    try:
        target = urlsplit(urljoin(answer.url, address))
    except ValueError:
        target = urlsplit("")
    if not target.path:
        raise LadingError(f"invalid address of the next page of tags: {address}")
    return target.path + (f"?{target.query}" if target.query else "")


def _path(session: Session, reference: str) -> str:
    return f"/v2/{session.name}/manifests/{reference}"


def _named(session: Session, reference: str) -> str:
    return _qualified(session.shown, reference)


def _qualified(name: str, reference: str) -> str:
    return f"{name}{'@' if is_digest(reference) else ':'}{reference}"


def _pull_error(session: Session, reference: str, refused: Refusal) -> LadingError:
    """Source: moby, how a failed pull is told."""
    if refused.code == "DENIED":
        return NotFound(
            f"pull access denied for {session.shown}, repository does not exist or may require "
            f"'docker login': {refused.text}"
        )
    if refused.code == "MANIFEST_UNKNOWN":
        return NotFound(f"manifest for {_named(session, reference)} not found: {refused.text}")
    if refused.code == "NAME_UNKNOWN":
        return NotFound(f"repository {session.shown} not found: {refused.text}")
    return refused.error()
