"""Whether the user wants signatures of images checked, which cannot be done yet."""

from __future__ import annotations

from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.session import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given

_NO = ("", "0", "f", "F", "false", "FALSE", "False")


def trust_flag(deed: str) -> Flag:
    """`--disable-content-trust` of pull, create and run ("verification") or of push ("signing")."""
    return Flag("disable-content-trust", "", "", f"Skip image {deed} (default true)", default=True)


def refuse_trust(given: Given, *, has_digest: bool = False) -> None:
    """Raises CommandFailed where signatures are wanted; a digest needs none.

    DOCKER_CONTENT_TRUST asks for them, and the flag counts more.
    """
    asked = (environment("DOCKER_CONTENT_TRUST") or "") not in _NO
    if "disable-content-trust" in given:
        asked = not given["disable-content-trust"]
    if asked and not has_digest:
        raise CommandFailed(
            "Error: content trust is not supported yet: images cannot be signed, nor signatures checked. "
            "Unset DOCKER_CONTENT_TRUST or give --disable-content-trust"
        )
