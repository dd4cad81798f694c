"""What the list of images leaves out where the engine does not list manifests."""

from __future__ import annotations

from lading.client import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.client import Client

_LISTED = "Manifests"


def mark_used(client: Client, images: list[dict[str, Any]]) -> None:
    """Counts the containers of images of which the engine does not say whether they are in use."""
    unknown = {image["Id"]: image for image in images if _LISTED not in image and image["Containers"] < 0}
    if not unknown:
        return
    try:
        containers = client.get("/containers/json", [("all", "1")])
    except ApiError:
        return
    for image in unknown.values():
        image["Containers"] = sum(container["ImageID"] == image["Id"] for container in containers)


def details_of(client: Client, image: dict[str, Any]) -> dict[str, Any] | None:
    """An image's description and, as `History`, its history; None where the list has its manifests.

    None also for an image that is gone by now.
    """
    if _LISTED in image:
        return None
    try:
        details: dict[str, Any] = client.get(f"/images/{image['Id']}/json")
        details["History"] = client.get(f"/images/{image['Id']}/history")
    except ApiError:
        return None
    return details
