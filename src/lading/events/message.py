"""One piece of news."""

from typing import Any

from msgspec import Struct

from lading.units import NANOSECOND


class Message(Struct, frozen=True, gc=False):
    """What happened to one object; `time_ns` is the wall clock in nanoseconds since 1970."""

    kind: str
    action: str
    actor_id: str
    attributes: dict[str, str]
    scope: str
    time_ns: int

    def view(self) -> dict[str, Any]:
        """The message as `GET /events` sends it (Engine API 1.51, EventMessage).

        Containers and images also carry the keys of API 1.21 and older, which
        many clients still read.
        """
        view: dict[str, Any] = {}
        if self.kind in ("container", "image"):
            view = {"status": self.action, "id": self.actor_id}
        if self.kind == "container" and (image := self.attributes.get("image")):
            view["from"] = image
        view |= {
            "Type": self.kind,
            "Action": self.action,
            "Actor": {"ID": self.actor_id, "Attributes": self.attributes},
            "scope": self.scope,
            "time": self.time_ns // NANOSECOND,
            "timeNano": self.time_ns,
        }
        return view
