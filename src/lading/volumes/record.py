"""A volume as the database knows it."""

from typing import Any

from msgspec import Struct

from lading.units import NANOSECOND, rfc3339

DRIVER = "local"
ANONYMOUS_LABEL = "com.docker.volume.anonymous"
"""What marks a volume that nobody gave a name; `docker volume prune` goes by it."""


class Volume(Struct, kw_only=True):
    """`anonymous` volumes go with the last container that uses them."""

    name: str
    created_ns: int
    driver: str = DRIVER
    labels: dict[str, str] = {}
    options: dict[str, str] = {}
    anonymous: bool = False

    def view(self, mountpoint: str, scope: str = "local") -> dict[str, Any]:
        """The volume as the API shows it (Engine API 1.51, Volume)."""
        return {
            "CreatedAt": rfc3339(self.created_ns // NANOSECOND * NANOSECOND),
            "Driver": self.driver,
            "Labels": dict(sorted(self.labels.items())) or None,
            "Mountpoint": mountpoint,
            "Name": self.name,
            "Options": dict(sorted(self.options.items())) or None,
            "Scope": scope,
        }
