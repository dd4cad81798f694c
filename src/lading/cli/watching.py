"""Following the engine's samples of many containers, each in a thread of its own."""

from __future__ import annotations

import threading

from lading.cli.listing import filters_query
from lading.cli.usage import Figures
from lading.client import ApiError, ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.client import Client

_PATIENCE = 2.0
_DIGITS = 12


class Watched:
    """One container: the figures of its last sample, and why there are none where there are none."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.figures = Figures({})
        self.valid = False
        self.complaint = ""
        self.first = threading.Event()


class Watching:
    """The containers watched at the moment; with `follow`, samples without end instead of one."""

    def __init__(self, client: Client, *, follow: bool, everything: bool) -> None:
        self._client = client
        self._follow = follow
        self._everything = everything
        self._watched: dict[str, Watched] = {}
        self._lock = threading.Lock()
        self.ended = False
        """Whether the engine tells no more of what is started: it is gone, as a rule."""

    def all(self) -> list[Watched]:
        """In the order in which they came."""
        with self._lock:
            return list(self._watched.values())

    def add(self, name: str) -> None:
        """Watches one more container."""
        with self._lock:
            if name in self._watched:
                return
            watched = self._watched[name] = Watched(name)
        threading.Thread(target=self._collect, args=(watched,), daemon=True).start()

    def add_all(self) -> None:
        """Watches every container, and those that are started from now on. Raises ClientError."""
        if self._follow:
            # First, so that none is missed in between.
            news = self._client.stream("GET", "/events", filters_query(["type=container"]))
            threading.Thread(target=self._hear, args=(news,), daemon=True).start()
        query = [("all", "1")] if self._everything else []
        for container in self._client.get("/containers/json", query):
            self.add(container["Id"][:_DIGITS])

    def wait_for_first(self) -> None:
        """Returns once each has a sample or a reason to have none."""
        for watched in self.all():
            if not watched.first.wait(_PATIENCE):
                watched.complaint = watched.complaint or "timeout waiting for stats"

    def _collect(self, watched: Watched) -> None:
        try:
            query = [("stream", "1" if self._follow else "0")]
            answer = self._client.stream("GET", f"/containers/{watched.name}/stats", query)
            for sample in answer.objects():
                watched.figures, watched.valid, watched.complaint = Figures(sample), True, ""
                watched.first.set()
                if not self._follow:
                    return
        except ApiError as refusal:
            watched.complaint = f"Error response from daemon: {refusal.message}"
        except ClientError as failure:
            watched.complaint = failure.message
        watched.valid = False
        watched.first.set()

    def _hear(self, news: Any) -> None:
        try:
            for event in news.objects():
                name = event["Actor"]["ID"][:_DIGITS]
                if event["Action"] == "start" or (self._everything and event["Action"] == "create"):
                    self.add(name)
                elif event["Action"] == ("destroy" if self._everything else "die"):
                    with self._lock:
                        self._watched.pop(name, None)
        except ClientError:
            pass
        self.ended = True
