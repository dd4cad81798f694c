"""`lading push`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.config.auths import registry_key
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.notes import green, note, red
from lading.cli.platform import platform_query
from lading.cli.progress import show
from lading.cli.prompting import authorized
from lading.cli.reference import parse_reference
from lading.cli.say import out
from lading.cli.trust import refuse_trust, trust_flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.config.auths import Auth
    from lading.cli.flags import Given
    from lading.cli.reference import Reference
    from lading.cli.session import Session
    from lading.client import Streaming

_ONE_PLATFORM = """\
Using --platform pushes only the specified platform manifest of a multi-platform image index.
Other components, like attestations, will not be included.
To push the complete multi-platform image, remove the --platform flag.
"""
_ONE_MANIFEST = (
    "Not all multiplatform-content is present and only the available single-platform image was pushed"
)
_INCOMPLETE = """\
The index names manifests for several platforms, and not all of them are here or at the registry.
Get all of them and try again, or push a single one with --platform."""
_PLATFORM_HELP = """\
Push a platform-specific manifest as a single-platform image to the registry.
Image index won't be pushed, meaning that other manifests, including attestations won't be preserved.
'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)"""


def run(session: Session, given: Given) -> None:
    platform = platform_query("platform", given["platform"], f"Invalid platform {given['platform']}")
    if platform:
        note(1, _ONE_PLATFORM, bold="--platform")
    reference = parse_reference(given.operands[0])
    if given["all-tags"] and (reference.tag or reference.digest):
        raise CommandFailed("tag can't be used with --all-tags/-a")
    if reference.digest:
        raise CommandFailed("cannot push a digest reference")
    refuse_trust(given)
    if not given["all-tags"] and not reference.tag:
        reference.tag = "latest"
        if not given["quiet"]:
            out("Using default tag: latest")
    notes: list[str] = []
    try:
        _push(session, given, reference, platform, notes)
    finally:
        for text in notes:
            note(1, text)


def _push(
    session: Session, given: Given, reference: Reference, platform: list[tuple[str, str]], notes: list[str]
) -> None:
    query = [("tag", reference.tag)] if reference.tag else []

    def request(auth: Auth) -> Streaming:
        headers = (("X-Registry-Auth", auth.as_header()),)
        path = f"/images/{reference.name}/push"
        return session.client.stream("POST", path, [*query, *platform], headers=headers)

    answer = authorized(session, registry_key(reference.domain), "push", request)
    try:
        shown = None if given["quiet"] else 1
        failure = show(answer.objects(), shown, lambda found: notes.extend(_noteworthy(found)))
    finally:
        answer.close()
    if failure:
        raise CommandFailed(failure)
    if given["quiet"]:
        out(reference.full())


def _noteworthy(found: dict[str, Any]) -> list[str]:
    """What the engine did other than asked for (Engine API 1.46, "auxprogress")."""
    if found.get("manifestPushedInsteadOfIndex"):
        index = (found.get("originalIndex") or {}).get("digest") or ""
        manifest = (found.get("selectedManifest") or {}).get("digest") or ""
        return [f"{_ONE_MANIFEST}\n{red(index)} -> {green(manifest)}"]
    return [_INCOMPLETE] if found.get("contentMissing") else []


COMMAND = Command(
    "push",
    "NAME[:TAG]",
    "Upload an image to a registry",
    (
        Flag("all-tags", "a", "", "Push all tags of an image to the repository"),
        trust_flag("signing"),
        Flag("platform", "", "string", _PLATFORM_HELP, since="1.46"),
        Flag("quiet", "q", "", "Suppress verbose output"),
    ),
    run,
    least=1,
    most=1,
    aliases=("image push", "push"),
)
