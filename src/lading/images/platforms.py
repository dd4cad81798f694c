"""Whether an image is for a platform that was asked for. Pure.

Source: moby's `daemon/images/image.go` for the words.
"""

from collections.abc import Sequence

from lading.errors import NotFound
from lading.images.record import Image
from lading.oci import platforms
from lading.oci.image import Platform


def check(image: Image, wanted: Sequence[Platform], name: str) -> None:
    """Raises NotFound where an image is for none of the platforms; none wanted means any."""
    document = image.document
    actual = Platform(document.architecture, document.os or "linux", document.variant)
    if wanted and not any(platforms.matches(platform, actual) for platform in wanted):
        raise NotFound(
            f"image with reference {name} was found but does not match the specified platform: "
            f"wanted {', '.join(map(platforms.shown, wanted))}, actual: {platforms.shown(actual)}"
        )
