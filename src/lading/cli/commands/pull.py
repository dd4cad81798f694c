"""`lading pull`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.pulling import fetch
from lading.cli.reference import parse_reference
from lading.cli.say import out
from lading.cli.session import environment
from lading.cli.trust import refuse_trust, trust_flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    reference = parse_reference(given.operands[0])
    tag = reference.digest or reference.tag
    if given["all-tags"] and tag:
        raise CommandFailed("tag can't be used with --all-tags/-a")
    if not given["all-tags"] and not tag:
        tag = reference.tag = "latest"
        if not given["quiet"]:
            out("Using default tag: latest")
    refuse_trust(given, has_digest=bool(reference.digest))
    platform = given["platform"] or environment("DOCKER_DEFAULT_PLATFORM") or ""
    fetch(session, reference, tag, platform, None if given["quiet"] else 1)
    out(reference.full())


COMMAND = Command(
    "pull",
    "NAME[:TAG|@DIGEST]",
    "Download an image from a registry",
    (
        Flag("all-tags", "a", "", "Download all tagged images in the repository"),
        trust_flag("verification"),
        Flag("platform", "", "string", "Set platform if server is multi-platform capable", since="1.32"),
        Flag("quiet", "q", "", "Suppress verbose output"),
    ),
    run,
    least=1,
    most=1,
    aliases=("image pull", "pull"),
)
