"""One thing mounted into a container."""

from typing import Any

from msgspec import Struct

BIND, VOLUME, TMPFS, IMAGE = "bind", "volume", "tmpfs", "image"


class MountPoint(Struct, kw_only=True, omit_defaults=True):
    """What is mounted where, as asked for; a volume's name and source are known once it is ensured.

    `source` and `destination` are absolute. `options` are tmpfs mount options
    or, for a volume made on demand, its driver's; `labels` are such a volume's.
    """

    type: str
    destination: str
    source: str = ""
    name: str = ""
    driver: str = ""
    mode: str = ""
    rw: bool = True
    propagation: str = ""
    anonymous: bool = False
    """Nobody gave the volume a name: it goes with the last container that uses it."""
    copy: bool = False
    """An empty volume is filled with what the image has there."""
    create_source: bool = False
    """A missing source directory of a bind is made, as `-v` does and `--mount` does not."""
    recursive: bool = True
    """What is mounted below the source comes along."""
    read_only: str = ""
    """"", or how far read-only goes below the source: "non-recursive" or "force-recursive"."""
    subpath: str = ""
    image: str = ""
    """The ID of the image that `name` means, where an image is mounted."""
    options: dict[str, str] = {}
    labels: dict[str, str] = {}

    def view(self) -> dict[str, Any]:
        """An entry of a container's `Mounts` (Engine API 1.51, MountPoint)."""
        view: dict[str, Any] = {"Type": self.type}
        if self.name:
            view["Name"] = self.name
        view |= {"Source": self.source, "Destination": self.destination}
        if self.driver:
            view["Driver"] = self.driver
        return view | {"Mode": self.mode, "RW": self.rw, "Propagation": self.propagation}
