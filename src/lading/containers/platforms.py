"""Whether an image is for the platform a client asks for, or for this machine. Pure."""

from lading.errors import InvalidParameter, NotFound
from lading.oci.image import Image

_ARCHITECTURES = {
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm",
    "armhf": "arm",
    "i386": "386",
    "i686": "386",
}


def check_platform(wanted: str, reference: str, image: Image, machine: str) -> list[str]:
    """Warnings where an image nobody chose for its platform is for another machine.

    `wanted` is os[/architecture[/variant]] or empty, `machine` as uname(2)
    names it. Raises NotFound, so that clients fetch the right image, or
    InvalidParameter.
    """
    architecture = _ARCHITECTURES.get(machine, machine)
    actual = [part for part in (image.os or "linux", image.architecture, image.variant) if part]
    if wanted:
        parts = _parse(wanted, architecture)
        if any(part != other for part, other in zip(parts, actual, strict=False)):
            raise NotFound(
                f"image with reference {reference} was found but does not match the specified platform: "
                f"wanted {'/'.join(parts)}, actual: {'/'.join(actual)}"
            )
        return []
    if image.architecture and image.architecture != architecture:
        return [
            f"The requested image's platform ({'/'.join(actual)}) does not match the detected host platform "
            f"(linux/{architecture}) and no specific platform was requested"
        ]
    return []


def _parse(text: str, own: str) -> list[str]:
    parts = text.lower().split("/")
    if len(parts) > 3 or not all(parts):
        raise InvalidParameter(f'"{text}": cannot parse platform specifier')
    if len(parts) == 1:
        # One word is a system or an architecture.
        parts = [parts[0], own] if parts[0] in ("linux", "windows", "darwin") else ["linux", parts[0]]
    parts[1] = _ARCHITECTURES.get(parts[1], parts[1])
    return parts
